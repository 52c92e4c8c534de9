//! Looks into a program before it is uploaded: Lambda would only say `Runtime.ExitError`, and at the first call.

use object::Endianness;
use object::elf::{EM_AARCH64, EM_X86_64, FileHeader64, PT_INTERP};
use object::read::elf::{FileHeader as _, ProgramHeader as _};

use super::Architecture;

/// The glibc of Amazon Linux 2023, which `provided.al2023` is.
const GLIBC: (u32, u32) = (2, 34);

/// Why Lambda could not start a program.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It asks for a symbol version of a newer glibc; this is the newest.
    TooNew(String),
    /// Anything else, in words.
    Wrong(String),
}

/// Checks the processor, the loader and the C library a program asks for. Scripts pass.
pub(super) fn check(program: &[u8], architecture: Architecture) -> Result<(), Unfit> {
    if program.starts_with(b"#!") {
        return Ok(());
    }
    inspect(program, architecture).unwrap_or_else(|error| {
        let is_elf = program.starts_with(b"\x7fELF");
        Err(Unfit::Wrong(if is_elf { format!("it is damaged: {error}") } else { "it is not a Linux program".into() }))
    })
}

fn inspect(program: &[u8], architecture: Architecture) -> object::Result<Result<(), Unfit>> {
    let (machine, loader) = match architecture {
        Architecture::X86_64 => (EM_X86_64, "/lib64/ld-linux-x86-64.so.2"),
        Architecture::Arm64 => (EM_AARCH64, "/lib/ld-linux-aarch64.so.1"),
    };
    let header = FileHeader64::<Endianness>::parse(program)?;
    let endian = header.endian()?;

    let found = header.e_machine(endian);
    if found != machine {
        let found = match found {
            EM_X86_64 => "x86_64".to_owned(),
            EM_AARCH64 => "arm64".to_owned(),
            other => format!("machine {}", other.0),
        };
        return Ok(Err(Unfit::Wrong(format!("it is built for {found}"))));
    }

    for segment in header.program_headers(endian, program)? {
        if segment.p_type(endian) != PT_INTERP {
            continue;
        }
        let bytes = segment.data(endian, program).unwrap_or_default();
        let asked = String::from_utf8_lossy(bytes);
        let asked = asked.trim_end_matches('\0');
        if asked != loader {
            return Ok(Err(Unfit::Wrong(format!("it starts through {asked}, which Lambda does not have"))));
        }
    }

    let newest = symbol_versions(header, endian, program)?.into_iter().max_by_key(|version| glibc(version));
    match newest {
        Some(version) if glibc(&version) > GLIBC => Ok(Err(Unfit::TooNew(version))),
        _ => Ok(Ok(())),
    }
}

/// Every `GLIBC_…` version the program asks its libraries for.
fn symbol_versions(
    header: &FileHeader64<Endianness>,
    endian: Endianness,
    program: &[u8],
) -> object::Result<Vec<String>> {
    let sections = header.sections(endian, program)?;
    let mut versions = Vec::new();
    if let Some((needs, link)) = sections.gnu_verneed(endian, program)? {
        let strings = sections.strings(endian, program, link)?;
        for need in needs {
            for version in need?.1 {
                let name = String::from_utf8_lossy(version?.name(endian, strings)?).into_owned();
                if name.starts_with("GLIBC_") {
                    versions.push(name);
                }
            }
        }
    }
    Ok(versions)
}

/// `GLIBC_2.34` is (2, 34). What has no number, like `GLIBC_ABI_DT_RELR` (glibc 2.36), is newer than 2.34.
fn glibc(version: &str) -> (u32, u32) {
    let mut numbers = version.trim_start_matches("GLIBC_").split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor),
        _ => (u32::MAX, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small ELF file: a header and no segments or sections.
    pub(super) fn elf(machine: u16) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        bytes[16] = 2;
        bytes[18..20].copy_from_slice(&machine.to_le_bytes());
        bytes[20] = 1;
        bytes[52] = 64;
        bytes
    }

    #[test]
    fn a_static_program_for_the_right_processor_passes() {
        assert_eq!(check(&elf(62), Architecture::X86_64), Ok(()));
        assert_eq!(check(&elf(183), Architecture::Arm64), Ok(()));
    }

    #[test]
    fn another_processor_is_named() {
        assert_eq!(check(&elf(183), Architecture::X86_64), Err(Unfit::Wrong("it is built for arm64".into())));
        assert_eq!(check(&elf(243), Architecture::Arm64), Err(Unfit::Wrong("it is built for machine 243".into())));
    }

    #[test]
    fn a_script_passes_and_text_does_not() {
        assert_eq!(check(b"#!/bin/sh\n", Architecture::Arm64), Ok(()));
        let unfit = Unfit::Wrong("it is not a Linux program".into());
        assert_eq!(check(b"MZ", Architecture::Arm64), Err(unfit));
    }

    #[test]
    fn half_a_program_is_damaged() {
        let Err(Unfit::Wrong(reason)) = check(&elf(62)[..40], Architecture::X86_64) else { panic!("it passed") };
        assert!(reason.starts_with("it is damaged: "), "{reason}");
    }

    #[test]
    fn symbol_versions_compare_as_numbers() {
        assert!(glibc("GLIBC_2.4") < GLIBC);
        assert!(glibc("GLIBC_2.2.5") < GLIBC);
        assert!(glibc("GLIBC_2.34") <= GLIBC);
        assert!(glibc("GLIBC_2.38") > GLIBC);
        assert!(glibc("GLIBC_ABI_DT_RELR") > GLIBC);
    }

    proptest::proptest! {
        #![proptest_config(crate::fuzz::cases(512))]

        #[test]
        fn a_program_may_be_any_bytes(
            bytes: Vec<u8>,
            changes in proptest::collection::vec((proptest::prelude::any::<proptest::sample::Index>(), proptest::prelude::any::<u8>()), 0..9),
        ) {
            let _ = check(&bytes, Architecture::X86_64);
            let mut program = elf(62);
            for (at, byte) in changes {
                let at = at.index(program.len());
                program[at] = byte;
            }
            let _ = check(&program, Architecture::X86_64);
        }
    }
}
