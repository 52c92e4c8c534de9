//! Systems of any size.

use std::fmt::Write as _;
use std::io::Write as _;

use crate::world::World;

/// How many of each a system has.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) functions: usize,
    pub(crate) tables: usize,
    pub(crate) buckets: usize,
    pub(crate) alarms: usize,
}

impl Size {
    /// Writes a spec of that many things. Each tenth function has a URL, and all have the same code, which does nothing.
    pub(crate) fn write(self, world: &World) {
        let code = std::fs::File::create(world.spec().with_file_name("code.zip")).expect("a file");
        let mut zip = zip::ZipWriter::new(code);
        let executable = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
        zip.start_file("bootstrap", executable).expect("a file in the zip");
        zip.write_all(b"#!/bin/sh\n").expect("a file in the zip");
        zip.finish().expect("a zip");
        world.write_small_spec(&self.tables());
    }

    fn tables(self) -> String {
        let mut spec = "[alert]\nemails = [\"ops@example.com\"]\n".to_owned();
        let mut add = |text: String| spec.write_str(&text).expect("memory is enough");
        (0..self.tables).for_each(|number| add(format!("[table.t{number}]\nkey = \"id\"\n")));
        (0..self.buckets).for_each(|number| add(format!("[bucket.b{number}]\nreplication = \"two-way\"\n")));
        for number in 0..self.functions {
            let url = if number % 10 == 0 { "url = { auth = \"none\" }\n" } else { "" };
            let table = number % self.tables;
            add(format!("[function.f{number}]\nsource = \"code.zip\"\n{url}uses = {{ table.t{table} = \"write\" }}\n"));
        }
        for number in 0..self.alarms {
            let (function, above) = (number % self.functions, number + 1);
            add(format!(
                "[alarm.a{number}]\non = \"function.f{function}\"\nmetric = \"Errors\"\nabove = {above}\nover = \"5m\"\n"
            ));
        }
        spec
    }
}
