//! Signatures for function URLs that want a caller of AWS (`AuthType: AWS_IAM`): what the SDK does for its own calls.

use std::time::SystemTime;

use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;

use super::Regional;
use super::call::unsigned;
use crate::graph::Failure;

/// As IAM writes what the caller of such a URL needs.
const INVOKE: &str = "lambda:InvokeFunctionUrl";

impl Regional {
    /// The headers that sign a request, with the credentials of this region's clients. `headers` are the request's own,
    /// which are signed, too.
    pub async fn signature(
        &self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        body: &str,
    ) -> Result<Vec<(String, String)>, Failure> {
        let provider = self.credentials.as_ref().ok_or_else(|| failed("there are no AWS credentials"))?;
        let credentials = provider.provide_credentials().await;
        let credentials =
            credentials.map_err(|error| unsigned(INVOKE, &error).unwrap_or_else(|| failed(error.to_string())))?;
        let identity = credentials.into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(self.region.as_str())
            .name("lambda")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let request = SignableRequest::new(method, url, headers, SignableBody::Bytes(body.as_bytes()));
        let signed = sign(request.map_err(|error| failed(error.to_string()))?, &params.into());
        let (instructions, _) = signed.map_err(|error| failed(error.to_string()))?.into_parts();
        let (headers, _) = instructions.into_parts();
        Ok(headers.into_iter().map(|header| (header.name().to_owned(), header.value().to_owned())).collect())
    }
}

fn failed(why: impl Into<String>) -> Failure {
    Failure::new(crate::graph::FailureClass::Unreachable, INVOKE, why)
}

#[cfg(test)]
mod tests {
    use crate::aws::canned::Counter;
    use crate::graph::Region;

    const URL: &str = "https://abc.lambda-url.us-east-1.on.aws/";

    async fn signature(method: &str, headers: &[(String, String)], body: &str) -> String {
        let clients = Counter::open().clients;
        let signed = clients.regions[&Region::new("us-east-1")].signature(method, URL, headers, body).await.unwrap();
        let header = |name: &str| signed.iter().find(|(is, _)| is.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        assert!(header("x-amz-date").is_some(), "{signed:?}");
        header("authorization").unwrap().clone()
    }

    #[tokio::test]
    async fn a_request_is_signed_for_lambda_in_its_region_with_its_headers() {
        let headers = [("content-type".to_owned(), "application/json".to_owned())];
        let signed = signature("POST", &headers, "{}").await;
        assert!(signed.contains("/us-east-1/lambda/aws4_request, "), "{signed}");
        assert!(signed.contains("SignedHeaders=content-type;host;x-amz-date, "), "{signed}");
        assert!(signature("GET", &[], "").await.contains("SignedHeaders=host;x-amz-date, "));
    }
}
