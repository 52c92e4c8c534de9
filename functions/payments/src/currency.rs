//! The currencies of ISO 4217 and their minor units.

use std::fmt;

/// Every code of ISO 4217 list one as published on 2026-01-01 that has a minor unit, by its number of decimal digits.
/// Metals, bond units, test codes and `XXX` have none (`N.A.` in the list): nobody pays in them.
const BY_DIGITS: [(u32, &str); 4] = [
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
    (
        2,
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW \
         CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF \
         IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK \
         MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP \
         SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG \
         YER ZAR ZMW ZWG",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

/// A currency that payments can be made in: its code is in ISO 4217, and it has a minor unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency {
    code: &'static str,
    digits: u32,
}

impl Currency {
    /// Finds the currency with this upper-case code.
    pub fn from_code(code: &str) -> Option<Self> {
        BY_DIGITS.iter().find_map(|&(digits, codes)| {
            let code = codes.split(' ').find(|known| *known == code)?;
            Some(Self { code, digits })
        })
    }

    /// The three-letter code.
    pub fn code(self) -> &'static str {
        self.code
    }

    /// How many decimal digits an amount can have: 2 for USD, 0 for JPY, 3 for KWD.
    pub fn digits(self) -> u32 {
        self.digits
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_currency_has_its_own_minor_unit() {
        let digits = |code| Currency::from_code(code).map(Currency::digits);
        assert_eq!([digits("USD"), digits("JPY"), digits("KWD"), digits("CLF")], [Some(2), Some(0), Some(3), Some(4)]);
    }

    #[test]
    fn old_codes_other_spellings_and_metals_are_no_currencies() {
        for code in ["", "usd", "US", "USDX", "USD ", " ", "BGN", "HRK", "ANG", "XAU", "XXX", "XTS"] {
            assert_eq!(Currency::from_code(code), None, "{code:?}");
        }
    }

    #[test]
    fn the_list_is_complete_and_names_each_code_once() {
        let mut codes: Vec<&str> = BY_DIGITS.iter().flat_map(|(_, codes)| codes.split(' ')).collect();
        assert_eq!(codes.len(), 165);
        assert!(codes.iter().all(|code| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase())));
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), 165);
    }
}
