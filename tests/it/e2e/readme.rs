//! The README's console blocks, word for word.

use super::world::World;

#[test]
fn the_readme_walk_works_as_written() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let world = World::new();
    let mut lines = 0;
    for block in readme.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        for command in block.lines().filter_map(|line| line.strip_prefix("$ drctl ")) {
            world.drctl_as_written(command).ends_with(0);
            lines += 1;
        }
    }
    assert!(lines >= 8, "the README has a walk to follow");
}
