//! The Lambda calls behind [`Function`].

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    Architecture, Environment, EnvironmentError, FunctionCode, LastUpdateStatus, Runtime, State, TracingConfig,
    TracingMode,
};

use super::Function;
use crate::aws::{Arn, Call, Look, Transient, Wait, own, poll, retry};
use crate::graph::{Attributes, Failure, FailureClass, Input};
use crate::kinds::{Context, Created, Found, Lifecycle, Seen, TagChange, Target, each};

/// A role just made is not assumable for some seconds, and its first policy not in force;
/// Lambda tells both in the message of a code that otherwise means a real mistake.
const ROLE_SETTLING: &[Transient] = &[
    ("InvalidParameterValueException", "cannot be assumed by Lambda"),
    ("InvalidParameterValueException", "execution role does not have permissions"),
    ("InvalidParameterValueException", "ARN does not refer to a valid principal"),
    ("InvalidParameterValueException", "throttled by EC2"),
    ("InvalidParameterValueException", "KMS key is invalid for CreateGrant"),
    BUSY[0],
    BUSY[1],
];

/// One change of a function at a time.
const BUSY: [Transient; 2] =
    [("ResourceConflictException", "in progress"), ("ResourceConflictException", "concurrent update")];

/// Bounds of HashiCorp's provider, which runs against all of AWS.
const SETTLED_WITHIN: Duration = Duration::from_secs(300);

impl Lifecycle for Function {
    async fn observe(cx: Context<'_>, targets: &[Target]) -> Seen<Self> {
        each(targets, |id| async move { read(cx, &id).await }).await
    }

    async fn create(&self, cx: Context<'_>) -> Result<Created, Failure> {
        let lambda = &cx.regional()?.lambda;
        let zip = zip(cx, &self.code_sha256)?;
        let create = || async {
            lambda
                .create_function()
                .function_name(&self.name)
                .description(&self.description)
                .code(FunctionCode::builder().zip_file(zip.clone()).build())
                .architectures(Architecture::from(self.architecture.as_str()))
                .runtime(Runtime::from(self.runtime.as_str()))
                .handler(&self.handler)
                .role(self.role.known())
                .memory_size(self.memory)
                .timeout(self.timeout)
                .environment(environment(&self.environment))
                .set_kms_key_arn(self.kms_key.as_ref().map(|key| key.known().to_owned()))
                .tracing_config(tracing(&self.tracing))
                .set_tags(Some(self.tags.clone().into_iter().collect()))
                .send()
                .await
                .call("lambda:CreateFunction")
        };
        let answer = retry(cx.within(SETTLED_WITHIN), ROLE_SETTLING, create).await?;
        settled(cx, &self.name).await?;
        if self.reserved_concurrency.is_some() {
            put_concurrency(cx, self).await?;
        }
        let arn =
            answer.function_arn.ok_or_else(|| Failure::malformed("lambda:CreateFunction", "no ARN in the answer"))?;
        Ok(Created { id: self.name.clone(), attributes: attributes(&self.name, &arn) })
    }

    async fn update(before: &Self, after: &Self, cx: Context<'_>) -> Result<(), Failure> {
        if configuration(before) != configuration(after) {
            update_configuration(cx, after).await?;
            settled(cx, &after.name).await?;
        }
        if (&before.code_sha256, &before.architecture) != (&after.code_sha256, &after.architecture) {
            update_code(cx, after).await?;
            settled(cx, &after.name).await?;
        }
        if before.reserved_concurrency != after.reserved_concurrency {
            put_concurrency(cx, after).await?;
        }
        let regional = cx.regional()?;
        let arn = format!("arn:aws:lambda:{}:{}:function:{}", regional.region, cx.clients.account, after.name);
        let tags = TagChange::between(&before.tags, &after.tags);
        if !tags.set.is_empty() {
            regional
                .lambda
                .tag_resource()
                .resource(&arn)
                .set_tags(Some(tags.set.into_iter().collect()))
                .send()
                .await
                .call("lambda:TagResource")?;
        }
        if !tags.unset.is_empty() {
            regional
                .lambda
                .untag_resource()
                .resource(&arn)
                .set_tag_keys(Some(tags.unset))
                .send()
                .await
                .call("lambda:UntagResource")?;
        }
        Ok(())
    }

    async fn delete(&self, cx: Context<'_>) -> Result<(), Failure> {
        let lambda = &cx.regional()?.lambda;
        retry(cx.within(SETTLED_WITHIN), &BUSY, || async {
            lambda.delete_function().function_name(&self.name).send().await.gone("lambda:DeleteFunction")
        })
        .await?;
        let wait = Wait {
            operation: "lambda:GetFunction",
            until: "the function to be gone",
            deadline: cx.within(SETTLED_WITHIN),
        };
        poll(wait, cx.progress, || async {
            let state = get(cx, &self.name).await?.and_then(|answer| answer.configuration?.state);
            Ok(state.map_or(Look::Ready(()), Look::not_yet))
        })
        .await
    }

    fn id_in(arn: &Arn<'_>) -> Option<String> {
        (arn.service == "lambda").then(|| arn.resource.strip_prefix("function:").map(str::to_owned)).flatten()
    }
}

/// What `UpdateFunctionConfiguration` writes, for comparison; what other calls write is named and left out.
fn configuration(function: &Function) -> impl PartialEq + '_ {
    let Function {
        description,
        runtime,
        handler,
        role,
        memory,
        timeout,
        environment,
        kms_key,
        tracing,
        name: _,
        code_sha256: _,
        architecture: _,
        reserved_concurrency: _,
        tags: _,
    } = function;
    ((description, runtime, handler, role), (memory, timeout, environment, kms_key, tracing))
}

async fn update_configuration(cx: Context<'_>, function: &Function) -> Result<(), Failure> {
    let lambda = &cx.regional()?.lambda;
    if let Some(variable) = function.stand_in() {
        let message = format!("the value of the variable {variable} was set outside, and drctl does not know it");
        return Err(Failure::new(FailureClass::Other, "lambda:UpdateFunctionConfiguration", message));
    }
    let update = || async {
        lambda
            .update_function_configuration()
            .function_name(&function.name)
            .description(&function.description)
            .runtime(Runtime::from(function.runtime.as_str()))
            .handler(&function.handler)
            .role(function.role.known())
            .memory_size(function.memory)
            .timeout(function.timeout)
            .environment(environment(&function.environment))
            // An empty one is Lambda's own; one that is not said stays.
            .kms_key_arn(function.kms_key.as_ref().map_or("", Input::known))
            .tracing_config(tracing(&function.tracing))
            .send()
            .await
            .call("lambda:UpdateFunctionConfiguration")
    };
    retry(cx.within(SETTLED_WITHIN), ROLE_SETTLING, update).await.map(|_| ())
}

async fn update_code(cx: Context<'_>, function: &Function) -> Result<(), Failure> {
    let lambda = &cx.regional()?.lambda;
    let zip = zip(cx, &function.code_sha256)?;
    let update = || async {
        lambda
            .update_function_code()
            .function_name(&function.name)
            .architectures(Architecture::from(function.architecture.as_str()))
            .zip_file(zip.clone())
            .send()
            .await
            .call("lambda:UpdateFunctionCode")
    };
    retry(cx.within(SETTLED_WITHIN), &BUSY, update).await.map(|_| ())
}

async fn put_concurrency(cx: Context<'_>, function: &Function) -> Result<(), Failure> {
    let lambda = &cx.regional()?.lambda;
    match function.reserved_concurrency {
        Some(reserved) => {
            let put = || async {
                let call = lambda
                    .put_function_concurrency()
                    .function_name(&function.name)
                    .reserved_concurrent_executions(reserved);
                call.send().await.call("lambda:PutFunctionConcurrency")
            };
            retry(cx.within(SETTLED_WITHIN), &BUSY, put).await.map(|_| ())
        }
        None => lambda
            .delete_function_concurrency()
            .function_name(&function.name)
            .send()
            .await
            .gone("lambda:DeleteFunctionConcurrency"),
    }
}

/// Waits until the function is active and its last update is through.
async fn settled(cx: Context<'_>, name: &str) -> Result<(), Failure> {
    let wait = Wait {
        operation: "lambda:GetFunction",
        until: "the function to be active",
        deadline: cx.within(SETTLED_WITHIN),
    };
    poll(wait, cx.progress, || async {
        let Some(configuration) = get(cx, name).await?.and_then(|answer| answer.configuration) else {
            return Ok(Look::not_yet("unknown"));
        };
        let failed = |reason: Option<&str>| {
            Err(Failure::new(
                FailureClass::Other,
                "lambda:GetFunction",
                format!("Lambda could not start the function: {}", reason.unwrap_or("no reason given")),
            ))
        };
        match (configuration.state(), configuration.last_update_status()) {
            (Some(State::Failed), _) => failed(configuration.state_reason()),
            (_, Some(LastUpdateStatus::Failed)) => failed(configuration.last_update_status_reason()),
            // A function idle for weeks is Inactive; the next call wakes it.
            (Some(State::Active | State::Inactive), Some(LastUpdateStatus::Successful)) => Ok(Look::Ready(())),
            (state, _) => Ok(Look::not_yet(state.map_or("unknown", State::as_str))),
        }
    })
    .await
}

async fn get(cx: Context<'_>, name: &str) -> Result<Option<GetFunctionOutput>, Failure> {
    cx.regional()?.lambda.get_function().function_name(name).send().await.found("lambda:GetFunction")
}

async fn read(cx: Context<'_>, name: &str) -> Result<Option<Found<Function>>, Failure> {
    let Some(answer) = get(cx, name).await? else { return Ok(None) };
    let missing = |field: &str| Failure::malformed("lambda:GetFunction", format!("no {field} in the answer"));
    if let Some(error) = answer.tags_error() {
        return Err(Failure {
            class: FailureClass::Denied,
            ..Failure::new(FailureClass::Other, "lambda:ListTags", error.message())
        });
    }
    let reserved_concurrency =
        answer.concurrency().and_then(|concurrency| concurrency.reserved_concurrent_executions());
    let tags = own(answer.tags.unwrap_or_default());
    let configuration = answer.configuration.ok_or_else(|| missing("configuration"))?;
    if configuration.state() == Some(&State::Deleting) {
        return Ok(None);
    }
    let arn = configuration.function_arn().ok_or_else(|| missing("ARN"))?.to_owned();
    // Who may not decrypt the variables is told everything else. Those that nobody can decrypt now, because the key is
    // disabled or about to go, are no variables: the key comes before the function, and then they are set anew.
    let error = configuration.environment().and_then(|environment| environment.error());
    if let Some(error) = error.filter(|error| !is_of_the_key(error)) {
        return Err(hidden(error));
    }
    let variables = configuration.environment().and_then(|environment| environment.variables());
    let resource = Function {
        name: name.to_owned(),
        description: configuration.description().unwrap_or_default().to_owned(),
        code_sha256: configuration.code_sha256().ok_or_else(|| missing("CodeSha256"))?.to_owned(),
        architecture: configuration.architectures().first().map_or("x86_64", Architecture::as_str).to_owned(),
        runtime: configuration.runtime().map_or("", Runtime::as_str).to_owned(),
        handler: configuration.handler().unwrap_or_default().to_owned(),
        role: Input::from(configuration.role().ok_or_else(|| missing("role"))?),
        memory: configuration.memory_size().ok_or_else(|| missing("MemorySize"))?,
        timeout: configuration.timeout().ok_or_else(|| missing("Timeout"))?,
        environment: Function::seen_variables(&cx.owner.suffix, variables.cloned().unwrap_or_default()),
        kms_key: configuration.kms_key_arn().filter(|key| !key.is_empty()).map(Input::from),
        reserved_concurrency,
        tracing: configuration
            .tracing_config()
            .and_then(|tracing| tracing.mode())
            .map_or("PassThrough", TracingMode::as_str)
            .to_owned(),
        tags,
    };
    Ok(Some(Found { attributes: attributes(name, &arn), resource }))
}

/// Whether nobody can decrypt the variables, because the key does not work.
fn is_of_the_key(error: &EnvironmentError) -> bool {
    let code = error.error_code().unwrap_or_default();
    ["Disabled", "InvalidState", "NotFound"].iter().any(|state| code.contains(state))
}

fn hidden(error: &EnvironmentError) -> Failure {
    let message = format!("no environment variables in the answer: {}", error.message().unwrap_or("no reason given"));
    match error.error_code() {
        Some(code) if !code.contains("AccessDenied") => {
            let failure = Failure::new(FailureClass::Other, "lambda:GetFunction", message);
            Failure { code: code.to_owned(), ..failure }
        }
        _ => {
            let failure = Failure::new(FailureClass::Denied, "lambda:GetFunction", message);
            Failure { code: "KMSAccessDenied".into(), ..failure }
        }
    }
}

/// The code to upload. Lambda takes zips of up to 50 MB in the request.
fn zip(cx: Context<'_>, sha256: &str) -> Result<Blob, Failure> {
    let path = cx
        .artifacts
        .get(sha256)
        .ok_or_else(|| Failure::malformed("drctl", format!("the function code {sha256} is not at hand")))?;
    let bytes = fs_err::read(path).map_err(|error| Failure::new(FailureClass::Other, "drctl", error.to_string()))?;
    Ok(Blob::new(bytes))
}

fn environment(variables: &BTreeMap<String, String>) -> Environment {
    Environment::builder().set_variables(Some(variables.clone().into_iter().collect())).build()
}

fn tracing(mode: &str) -> TracingConfig {
    TracingConfig::builder().mode(TracingMode::from(mode)).build()
}

fn attributes(name: &str, arn: &str) -> Attributes {
    Attributes::from([("name".into(), name.to_owned()), ("arn".into(), arn.to_owned())])
}

#[cfg(test)]
mod tests;
