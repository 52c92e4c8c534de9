//! What the README says of specs is true.

use std::path::Path;

use drctl::desired::read;

#[test]
fn the_spec_in_the_readme_is_a_spec() {
    let readme = std::fs::read_to_string("README.md").expect("tests run in the folder of the package");
    let block = readme.split("```toml\n").nth(1).expect("there is a spec in the README");
    let block = block.split("```").next().unwrap_or_default();
    let spec = read(Path::new("specs/readme.toml"), block).unwrap_or_else(|error| panic!("{error:?}"));
    for function in spec.functions.values() {
        assert!(spec.path(&function.source).is_dir(), "{} is a package of this repository", *function.source);
    }
}
