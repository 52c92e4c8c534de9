//! What every command on a system starts with: the spec, the code, a connection, the state.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::error::CliError;
use super::interrupt;
use super::ui::Ui;
use crate::aws::{Clients, Target, connect};
use crate::desired::{self, CodeHashes, LoadError, Spec};
use crate::graph::{Address, Graph, Meta, Owner, Region};
use crate::kinds::{self, Artifacts};
use crate::ops::Request;
use crate::package::{self, Package, Source};
use crate::plan::{Observation, Plan};
use crate::render::say;
use crate::run::{AwsCloud, Subject, observe};
use crate::sandbox;
use crate::saved::{Kept, SavedPlan};
use crate::spec::Assignment;
use crate::state::{Buckets, Folder, Known, Reach, Remarks, State, Store};

/// Names the spec where no `-f` does; several are written as in `PATH`.
const SPEC_VARIABLE: &str = "DRCTL_SPEC";

/// Which spec.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct SpecArgs {
    /// Spec of the system; another one is laid over it. Without any, that of DRCTL_SPEC, or the only one in specs/
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,

    /// A value in place of the spec's: system.suffix=prod-002
    #[arg(long = "set", value_name = "KEY=VALUE")]
    values: Vec<Assignment>,
}

impl SpecArgs {
    pub(super) fn load(&self) -> Result<Spec, LoadError> {
        match std::env::var_os(SPEC_VARIABLE) {
            Some(named) if self.files.is_empty() && !named.is_empty() => {
                desired::load(&std::env::split_paths(&named).collect::<Vec<_>>(), &self.values)
            }
            _ => desired::load(&self.files, &self.values),
        }
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

impl SystemArgs {
    /// The same again, for a command line.
    pub(super) fn arguments(&self) -> Vec<String> {
        let mut arguments = self.spec.arguments();
        arguments.extend(self.sandbox.then(|| "--sandbox".to_owned()));
        arguments
    }
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
    /// Where something of it lies on this machine, although it is kept in S3.
    left_here: Option<PathBuf>,
    /// The code of each function, if it was asked for.
    pub(super) code: Built,
}

/// The code of functions: the hash of each by the function's name, and the zips at hand by their hash.
#[derive(Default)]
pub(super) struct Built {
    pub(super) hashes: CodeHashes,
    pub(super) zips: Artifacts,
    /// Where they lie for as long as this run goes on, if they came with a saved plan.
    #[expect(dead_code, reason = "held until it is dropped")]
    unpacked: Option<TempDir>,
}

impl Session {
    /// Loads the spec, builds the code if asked to, and connects.
    pub(super) async fn open(args: &SystemArgs, code: Code, ui: &Ui) -> Result<Self, CliError> {
        let spec = args.spec.load()?;
        let code = match code {
            Code::Build => Built::of(build(&spec, ui)?),
            Code::Leave => Built::default(),
        };
        let (target, folder) = target(args.sandbox, ui).await?;
        let clients = connected(&target, &spec).await?;
        let local = local(&spec, folder)?;
        let left_here = (spec.state.is_shared() && local.is_there()).then(|| local.path().to_owned());
        if let Some(folder) = &left_here {
            ui.remark(&format!(
                "what {} has of this system is not used any more: `drctl state move` takes it into the buckets",
                folder.display()
            ));
        }
        let store = store(&spec, Some(&clients), local);
        Ok(Self { left_here, ..Self::of(spec, code, target, clients, store) })
    }

    /// The system that the plan saved in `file` is for, connected.
    pub(super) async fn of_saved(saved: &SavedPlan, file: &Path, sandbox: bool, ui: &Ui) -> Result<Self, CliError> {
        let spec = saved.spec(file)?;
        let (target, _) = target(sandbox, ui).await?;
        let clients = connected(&target, &spec).await?;
        let planned = &saved.document.plan.account;
        if clients.account != *planned {
            return Err(CliError::Refused {
                what: format!("these credentials are for account {}, and the plan is for {planned}", clients.account),
                next: format!("use credentials for {planned}, or make a new plan with `drctl plan --out FILE`"),
            });
        }
        let store = match &saved.document.state {
            Kept::Folder(path) => Store::Folder(Folder::new(path.clone(), spec.owner())),
            Kept::Buckets => in_buckets(&spec, &clients),
        };
        let code = Built::of_saved(saved)?;
        Ok(Self::of(spec, code, target, clients, store))
    }

    fn of(spec: Spec, code: Built, target: Target, clients: Clients, store: Store) -> Self {
        let endpoint = match target {
            Target::Aws => None,
            Target::Sandbox { endpoint, .. } => Some(endpoint),
        };
        Self {
            store,
            owner: spec.owner(),
            graph: spec.graph(&clients.account, &code.hashes),
            cloud: AwsCloud::new(clients, spec.owner(), code.zips.clone()).limited(spec.timeout.kinds.clone()),
            kinds: kinds::metas(),
            endpoint,
            left_here: None,
            spec,
            code,
        }
    }

    /// Refuses to begin a state in the buckets while the one so far lies on this machine, with its overrides.
    pub(super) fn refuse_left_here(&self, state: &State) -> Result<(), CliError> {
        match &self.left_here {
            Some(folder) if state.index().serial == 0 => Err(CliError::Refused {
                what: format!(
                    "the state of this system still lies in {}, and there is none in the buckets yet; nothing was changed",
                    folder.display()
                ),
                next: "run `drctl state move`, then the same command again".into(),
            }),
            _ => Ok(()),
        }
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

    /// A request to a function's URL in a region, signed if the spec says so.
    pub(super) async fn request(
        &self,
        function: Option<&str>,
        region: &Region,
        request: Request,
    ) -> Result<Request, CliError> {
        match self.cloud.clients().regions.get(region) {
            Some(regional) if function.is_some_and(|function| self.spec.wants_signature(function)) => {
                Ok(request.signed(regional).await?)
            }
            _ => Ok(request),
        }
    }

    /// A URL as it can be used from here: on the sandbox, the one on the loopback.
    pub(super) fn usable(&self, url: &str) -> String {
        let loopback = self.endpoint.as_ref().and_then(|endpoint| sandbox::function_url(endpoint, url));
        loopback.unwrap_or_else(|| url.to_owned())
    }
}

impl Built {
    fn of(packages: BTreeMap<String, Package>) -> Self {
        let hashes = packages.iter().map(|(name, package)| (name.clone(), package.sha256.clone())).collect();
        let zips = packages.into_values().map(|package| (package.sha256, package.zip)).collect();
        Self { hashes, zips, unpacked: None }
    }

    /// The code that a saved plan has brought along.
    fn of_saved(saved: &SavedPlan) -> std::io::Result<Self> {
        let (folder, mut zips) = (tempfile::tempdir()?, Artifacts::new());
        for (count, (hash, zip)) in saved.zips.iter().enumerate() {
            let path = folder.path().join(format!("{count}.zip"));
            fs_err::write(&path, zip)?;
            zips.insert(hash.clone(), path);
        }
        Ok(Self { hashes: saved.document.code.clone(), zips, unpacked: Some(folder) })
    }
}

/// A system's state alone. While it lies on this machine, no connection is needed for it.
pub(super) struct Stored {
    pub(super) spec: Spec,
    pub(super) store: Store,
    /// What the buckets are reached with, if it is in S3.
    pub(super) clients: Option<Clients>,
    /// Where it lies on this machine, if it does.
    pub(super) local: Folder,
}

impl Stored {
    pub(super) async fn open(args: &SystemArgs, ui: &Ui) -> Result<Self, CliError> {
        let spec = args.spec.load()?;
        let (target, folder) = target(args.sandbox, ui).await?;
        let clients = if spec.state.is_shared() { Some(connected(&target, &spec).await?) } else { None };
        let local = local(&spec, folder)?;
        Ok(Self { store: store(&spec, clients.as_ref(), local.clone()), spec, clients, local })
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

/// Where the state is: in the buckets that the spec names, or else on this machine.
fn store(spec: &Spec, clients: Option<&Clients>, local: Folder) -> Store {
    match clients.filter(|_| spec.state.is_shared()) {
        Some(clients) => in_buckets(spec, clients),
        None => Store::Folder(local),
    }
}

/// Where a state on this machine lies: in `folder`, or else beside the spec.
fn local(spec: &Spec, folder: Option<PathBuf>) -> Result<Folder, CliError> {
    let folder = match folder {
        Some(folder) => folder,
        None => beside(spec.folder())?.join("state"),
    };
    Ok(Folder::new(folder, spec.owner()))
}

fn in_buckets(spec: &Spec, clients: &Clients) -> Store {
    let buckets = spec.state.buckets(spec).into_iter().map(|(region, bucket)| (region, bucket.name));
    let buckets = Buckets::on_s3(clients, buckets, spec.owner(), Remarks::new(say));
    Store::Buckets(buckets.announcing(|lease| interrupt::holding(Some(lease))))
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

/// Which AWS; for the sandbox, with the folder where states of systems there are kept.
async fn target(on_sandbox: bool, ui: &Ui) -> Result<(Target, Option<PathBuf>), CliError> {
    if !on_sandbox {
        return Ok((Target::Aws, None));
    }
    let working = ui.working("starting the sandbox");
    let info = sandbox::up(sandbox::Wanted::default(), &mut |step| working.now(step)).await?;
    Ok((Target::Sandbox { endpoint: info.endpoint, strict: info.options.strict }, Some(info.state)))
}

/// The folder that a folder lies in.
fn beside(folder: &Path) -> Result<PathBuf, CliError> {
    let folder = fs_err::canonicalize(folder)?;
    Ok(folder.parent().unwrap_or(&folder).to_owned())
}
