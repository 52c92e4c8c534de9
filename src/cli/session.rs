//! What every command on a system starts with: the spec, the code, a connection, the state.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::CliError;
use super::interrupt;
use super::ui::Ui;
use crate::aws::{Clients, Target, connect};
use crate::desired::{self, CodeHashes, LoadError, Spec};
use crate::graph::{Address, Graph, Meta, Owner};
use crate::kinds::{self, Artifacts};
use crate::package::{self, Package, Source};
use crate::plan::{Observation, Plan};
use crate::run::{AwsCloud, Subject, observe};
use crate::sandbox;
use crate::spec::Assignment;
use crate::state::{Buckets, Folder, Known, Reach, Remarks, State, Store};

/// Which spec.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct SpecArgs {
    /// Spec of the system; another one is laid over it. Without any, the only one in specs/
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,

    /// A value in place of the spec's: system.suffix=prod-002
    #[arg(long = "set", value_name = "KEY=VALUE")]
    values: Vec<Assignment>,
}

impl SpecArgs {
    pub(super) fn load(&self) -> Result<Spec, LoadError> {
        desired::load(&self.files, &self.values)
    }

    /// The same again, for a command line.
    pub(super) fn arguments(&self) -> Vec<String> {
        let files = self.files.iter().flat_map(|file| ["-f".to_owned(), file.display().to_string()]);
        files.chain(self.values.iter().flat_map(|value| ["--set".to_owned(), value.to_string()])).collect()
    }
}

/// Which system, and which AWS.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct SystemArgs {
    #[command(flatten)]
    pub(super) spec: SpecArgs,

    /// Work on the embedded AWS instead of the real one; starts it if need be
    #[arg(long)]
    pub(super) sandbox: bool,
}

/// Whether a command needs the functions' code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// Build what has changed.
    Build,
    /// Only look at what is deployed.
    Leave,
}

/// A system, connected.
pub(super) struct Session {
    pub(super) spec: Spec,
    pub(super) owner: Owner,
    pub(super) graph: Graph,
    pub(super) cloud: AwsCloud,
    pub(super) kinds: Vec<Meta>,
    /// Where the sandbox listens, if it is the sandbox.
    pub(super) endpoint: Option<String>,
    /// Where the state is kept, and the overrides beside it.
    pub(super) store: Store,
}

impl Session {
    /// Loads the spec, builds the code if asked to, and connects.
    pub(super) async fn open(args: &SystemArgs, code: Code, ui: &Ui) -> Result<Self, CliError> {
        let spec = args.spec.load()?;
        let packages = match code {
            Code::Build => build(&spec, ui)?,
            Code::Leave => BTreeMap::new(),
        };
        let (target, state_folder) = target(args, &spec, ui).await?;
        let clients = connected(&target, &spec).await?;
        let hashes: CodeHashes =
            packages.iter().map(|(name, package)| (name.clone(), package.sha256.clone())).collect();
        let artifacts: Artifacts = packages.into_values().map(|package| (package.sha256, package.zip)).collect();
        let endpoint = match target {
            Target::Aws => None,
            Target::Sandbox { endpoint, .. } => Some(endpoint),
        };
        Ok(Self {
            store: store(&spec, Some(&clients), state_folder),
            owner: spec.owner(),
            graph: spec.graph(&clients.account, &hashes),
            cloud: AwsCloud::new(clients, spec.owner(), artifacts).limited(spec.timeout.kinds.clone()),
            kinds: kinds::metas(),
            endpoint,
            spec,
        })
    }

    /// The state, for reading.
    pub(super) async fn read_state(&self) -> Result<Known, CliError> {
        Ok(self.store.read().await?)
    }

    /// Does `work` while the command called `operation` has the state locked.
    pub(super) async fn locked<T>(
        &self,
        operation: &str,
        reach: Reach,
        work: impl AsyncFnOnce(&mut State) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        while_locked(self.store.lock(operation, reach).await?, work).await
    }

    /// The system as spec, state and marks know it.
    pub(super) fn subject<'a>(&'a self, known: &'a Known) -> Subject<'a> {
        Subject {
            desired: &self.graph,
            recorded: &known.index,
            overrides: &known.overrides,
            owner: &self.owner,
            kinds: &self.kinds,
        }
    }

    /// What is live.
    pub(super) async fn observe(&self, known: &Known, ui: &Ui) -> Result<Observation, CliError> {
        let _working = ui.working("reading both regions");
        Ok(observe(&self.cloud, self.subject(known)).await?)
    }

    /// Where in the spec each address comes from.
    pub(super) fn origins(&self) -> BTreeMap<Address, String> {
        self.graph.iter().map(|(address, node)| (address.clone(), node.origin.to_string())).collect()
    }

    /// A name as it appears in AWS.
    pub(super) fn suffixed(&self, name: &str) -> String {
        format!("{name}-{}", self.owner.suffix)
    }

    /// A URL as it can be used from here: on the sandbox, the one on the loopback.
    pub(super) fn usable(&self, url: &str) -> String {
        let loopback = self.endpoint.as_ref().and_then(|endpoint| sandbox::function_url(endpoint, url));
        loopback.unwrap_or_else(|| url.to_owned())
    }
}

/// A system's state alone. While it lies on this machine, no connection is needed for it.
pub(super) struct Stored {
    pub(super) spec: Spec,
    pub(super) store: Store,
    /// What the buckets are reached with, if it is in S3.
    pub(super) clients: Option<Clients>,
}

impl Stored {
    pub(super) async fn open(args: &SystemArgs, ui: &Ui) -> Result<Self, CliError> {
        let spec = args.spec.load()?;
        let (target, folder) = target(args, &spec, ui).await?;
        let clients = if spec.state.is_shared() { Some(connected(&target, &spec).await?) } else { None };
        Ok(Self { store: store(&spec, clients.as_ref(), folder), spec, clients })
    }
}

/// Connects, to no other account than the spec's.
async fn connected(target: &Target, spec: &Spec) -> Result<Clients, CliError> {
    let clients = connect(target, &spec.regions(), spec.timeout.observe).await?;
    match spec.system.account.as_ref().filter(|account| **account != clients.account) {
        None => Ok(clients),
        Some(account) => Err(CliError::Refused {
            what: format!("these credentials are for account {}, and the spec is for {account}", clients.account),
            next: format!("use credentials for {account}, or change `account` in `[system]`"),
        }),
    }
}

/// Where the state is: in the buckets that the spec names, or else in `folder`.
fn store(spec: &Spec, clients: Option<&Clients>, folder: PathBuf) -> Store {
    match clients.filter(|_| spec.state.is_shared()) {
        None => Store::Folder(Folder::new(folder, spec.owner())),
        Some(clients) => {
            let buckets = spec.state.buckets(spec).into_iter().map(|(region, bucket)| (region, bucket.name));
            let remarks = Remarks::new(|remark| eprintln!("{remark}"));
            Store::Buckets(Buckets::on_s3(clients, buckets, spec.owner(), remarks))
        }
    }
}

/// Does something while the state is locked, and gives the lock back however it ends.
pub(super) async fn while_locked<T>(
    mut state: State,
    work: impl AsyncFnOnce(&mut State) -> Result<T, CliError>,
) -> Result<T, CliError> {
    interrupt::holding(Some(state.lease()));
    let result = work(&mut state).await;
    state.release().await;
    interrupt::holding(None);
    result
}

/// A plan with failures is no plan.
pub(super) fn complete(plan: Plan) -> Result<Plan, CliError> {
    if plan.failures.is_empty() { Ok(plan) } else { Err(CliError::unreadable(plan.failures)) }
}

/// Builds the code of every function of the spec.
pub(super) fn build(spec: &Spec, ui: &Ui) -> Result<BTreeMap<String, Package>, CliError> {
    let sources: Vec<Source> = spec
        .functions
        .values()
        .map(|function| Source { path: spec.path(&function.source), architecture: function.architecture })
        .collect();
    let working = ui.working("checking the functions' code");
    let mut told = None;
    let packages = package::build(&sources, &package_cache()?, &mut |progress| match progress {
        package::Progress::Building { package } => {
            if told.as_ref() != Some(&package) {
                ui.remark(&format!("building {package}; the first time takes some minutes"));
                told = Some(package);
            }
        }
        package::Progress::Compiling { package, name, count } => {
            working.now(&format!("building {package}: {name} ({count})"))
        }
    })?;
    Ok(spec.functions.keys().cloned().zip(packages).collect())
}

fn package_cache() -> Result<PathBuf, CliError> {
    use etcetera::BaseStrategy;
    let folders = etcetera::choose_base_strategy().map_err(|_| CliError::Failed {
        what: "there is no home folder to keep built functions in".into(),
        next: "set `HOME` or `XDG_CACHE_HOME`".into(),
    })?;
    Ok(folders.cache_dir().join("drctl").join("packages"))
}

/// Which AWS, and where the state of a system there is kept.
async fn target(args: &SystemArgs, spec: &Spec, ui: &Ui) -> Result<(Target, PathBuf), CliError> {
    if args.sandbox {
        let working = ui.working("starting the sandbox");
        let options = sandbox::status().await?.map_or_else(Default::default, |info| info.options);
        let info = sandbox::up(options, &mut |step| working.now(step)).await?;
        let target = Target::Sandbox { endpoint: info.endpoint, strict: info.options.strict };
        return Ok((target, info.state));
    }
    Ok((Target::Aws, beside(spec.folder())?.join("state")))
}

/// The folder that a folder lies in.
fn beside(folder: &Path) -> Result<PathBuf, CliError> {
    let folder = fs_err::canonicalize(folder)?;
    Ok(folder.parent().unwrap_or(&folder).to_owned())
}
