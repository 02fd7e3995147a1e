//! No two files of a crate need each other.
//!
//! A file needs another one if it names a thing of it in a path: `crate::…`, `super::…`, or the name of a module below it. A
//! `pub use` passes a name on and needs nothing. What it passes on counts where it is taken. A file may name things of the
//! modules that it is in: `a/b.rs` is a part of `a.rs`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use latchstring_tests::workspace;

use crate::sources::{code_of, sources};

/// A module's path below its crate's root.
type Name = Vec<String>;

struct Module {
    /// Paths as they are written, without those that are only passed on.
    paths: Vec<Name>,
    /// What a name that is passed on stands for.
    passed_on: BTreeMap<String, Name>,
}

/// The module that a file is.
fn module(path: &Path) -> Name {
    let mut name: Name = (path.with_extension("").iter())
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    if name.last().is_some_and(|last| last == "mod") || name == ["lib"] {
        name.pop();
    }
    name
}

/// Each path of a tree as it stands behind `use`: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn flat(tree: &str) -> Vec<Name> {
    let tree = tree.trim();
    let Some((before, inside)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap();
        return vec![
            path.split("::")
                .map(|part| part.trim().to_owned())
                .collect(),
        ];
    };
    let before: Name = (before.split("::").map(str::trim))
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect();
    let inside = &inside[..inside.rfind('}').unwrap()];
    let trees = split(inside)
        .into_iter()
        .filter(|tree| !tree.trim().is_empty());
    trees
        .flat_map(flat)
        .map(|path| [before.clone(), path].concat())
        .collect()
}

/// Splits at the commas that are in no braces.
fn split(trees: &str) -> Vec<&str> {
    let (mut depth, mut from, mut found) = (0, 0, Vec::new());
    for (at, byte) in trees.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                found.push(&trees[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(&trees[from..]);
    found
}

impl Module {
    fn read(text: &str) -> Self {
        let code: Vec<&str> = (code_of(text).lines())
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        let (mut paths, mut passed_on, mut rest) = (Vec::new(), BTreeMap::new(), String::new());
        let mut lines = code.into_iter();
        while let Some(line) = lines.next() {
            let Some((before, tree)) = as_use(line) else {
                rest.push_str(line);
                rest.push('\n');
                continue;
            };
            let mut tree = tree.to_owned();
            while !tree.contains(';') {
                tree.push_str(lines.next().unwrap());
            }
            let found = flat(tree.split(';').next().unwrap());
            match before.trim().is_empty() {
                true => paths.extend(found),
                false => passed_on
                    .extend((found.into_iter()).map(|path| (path.last().unwrap().clone(), path))),
            }
        }
        paths.extend(inline(&rest));
        Self { paths, passed_on }
    }
}

/// What stands before and behind `use`, if the line begins a declaration and no sentence.
fn as_use(line: &str) -> Option<(&str, &str)> {
    let (before, tree) = line.split_once("use ")?;
    let declared = before.trim().is_empty() || before.trim_start().starts_with("pub");
    let path = tree.starts_with(|c: char| c.is_alphabetic() || "_{".contains(c));
    (declared && path).then_some((before, tree))
}

/// Paths in the code that begin with `crate::` or `super::`.
fn inline(code: &str) -> Vec<Name> {
    let starts = ["crate::", "super::"].map(|start| code.match_indices(start));
    let starts = starts.into_iter().flatten().map(|(at, _)| at);
    let outside = |at: &usize| !code[..*at].ends_with([':', '_', '$']);
    let path = |at: usize| {
        let part_of_it = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let end = code[at..].find(|c: char| !part_of_it(c));
        let path = &code[at..at + end.unwrap_or(code.len() - at)];
        let parts = path.split("::").filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    starts.filter(outside).map(path).collect()
}

struct Crate(BTreeMap<Name, Module>);

impl Crate {
    fn read(folder: &Path) -> Self {
        let files = sources(folder).into_iter();
        let read = |path: PathBuf| {
            let name = module(path.strip_prefix(folder).unwrap());
            (name, Module::read(&fs::read_to_string(path).unwrap()))
        };
        Self(files.map(read).collect())
    }

    /// The module that a path leads to, written in the module `at`; `None` if that is not in this crate.
    fn target(&self, at: &Name, path: &[String]) -> Option<Name> {
        let (mut here, mut rest) = match path.first()?.as_str() {
            "crate" => (Vec::new(), &path[1..]),
            "self" => (at.clone(), &path[1..]),
            "super" => (at[..at.len().checked_sub(1)?].to_vec(), &path[1..]),
            child
                if self
                    .0
                    .contains_key(&[at.clone(), vec![child.to_owned()]].concat()) =>
            {
                (at.clone(), path)
            }
            _ => return None,
        };
        while let Some(part) = rest.first() {
            let below = [here.clone(), vec![part.clone()]].concat();
            if part == "super" {
                here.pop();
            } else if self.0.contains_key(&below) {
                here = below;
            } else if let Some(further) = self.0.get(&here)?.passed_on.get(part) {
                return self.target(&here, further).or(Some(here));
            } else {
                break;
            }
            rest = &rest[1..];
        }
        Some(here)
    }

    fn needs(&self) -> BTreeMap<&Name, BTreeSet<Name>> {
        let of = |at: &Name, module: &Module| {
            let targets = module.paths.iter().filter_map(|path| self.target(at, path));
            targets.filter(|target| !at.starts_with(target)).collect()
        };
        self.0
            .iter()
            .map(|(at, module)| (at, of(at, module)))
            .collect()
    }

    /// Files that reach each other, in groups.
    fn circles(&self) -> Vec<Vec<String>> {
        let needs = self.needs();
        let reached = |from: &Name| {
            let (mut seen, mut next) = (BTreeSet::new(), vec![from.clone()]);
            while let Some(at) = next.pop() {
                let further = needs.get(&at).into_iter().flatten();
                next.extend(further.filter(|to| seen.insert((*to).clone())).cloned());
            }
            seen
        };
        let reached: BTreeMap<&Name, _> = self.0.keys().map(|at| (at, reached(at))).collect();
        let circle = |at: &Name| -> Vec<String> {
            let all = self.0.keys().filter(|to| reached[at].contains(*to));
            let back = all.filter(|to| reached[to].contains(at));
            back.map(|name| name.join("::")).collect()
        };
        let circles: BTreeSet<_> = self.0.keys().map(circle).collect();
        circles
            .into_iter()
            .filter(|circle| circle.len() > 1)
            .collect()
    }
}

/// A crate and the files of a circle in it.
type Circle = (String, Vec<String>);

fn found() -> Vec<Circle> {
    let mut found = Vec::new();
    for krate in fs::read_dir(workspace().join("crates")).unwrap() {
        let path = krate.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let circles = Crate::read(&path.join("src")).circles();
        found.extend(circles.into_iter().map(|circle| (name.clone(), circle)));
    }
    found
}

/// The circles that architecture.md allows, with a reason each: `| crate | file, file | reason |`.
fn allowed() -> Vec<Circle> {
    let page = fs::read_to_string(workspace().join("docs/src/architecture.md")).unwrap();
    let (_, table) = page
        .split_once("| crate | files that need each other | why |\n")
        .unwrap();
    let rows = table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'));
    let row = |row: &str| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert!(!cells[3].is_empty(), "a reason is missing: {row}");
        let files = cells[2].split(", ").map(|file| file.replace('`', ""));
        (cells[1].replace('`', ""), files.collect())
    };
    rows.map(row).collect()
}

fn is_within((krate, circle): &Circle, (allowed_in, allowed): &Circle) -> bool {
    krate == allowed_in && circle.iter().all(|file| allowed.contains(file))
}

#[test]
fn no_two_files_of_a_crate_need_each_other() {
    let (found, allowed) = (found(), allowed());
    let more = |circle: &&Circle| !allowed.iter().any(|row| is_within(circle, row));
    let more: Vec<_> = found.iter().filter(more).collect();
    assert!(
        more.is_empty(),
        "docs/src/architecture.md does not allow {more:#?}"
    );
    let gone = |row: &&Circle| !found.iter().any(|circle| is_within(circle, row));
    let gone: Vec<_> = allowed.iter().filter(gone).collect();
    assert!(
        gone.is_empty(),
        "no longer there: take it out of docs/src/architecture.md: {gone:#?}"
    );
}

#[test]
fn a_circle_is_found_and_a_name_that_is_passed_on_leads_to_its_file() {
    let files = [
        ("", "pub mod a;\npub mod b;\npub use a::Thing;\n"),
        (
            "a",
            "use super::b::{self, Other as Name};\npub struct Thing;\n",
        ),
        (
            "b",
            "/// Not `crate::a`.\npub fn make() -> crate::Thing {}\n",
        ),
        ("c", "use crate::{\n    Thing,\n    b,\n};\n"),
    ];
    let module = |(name, text): (&str, &str)| {
        let name = name.split("::").filter(|part| !part.is_empty());
        (
            name.map(str::to_owned).collect::<Name>(),
            Module::read(text),
        )
    };
    let krate = Crate(files.map(module).into());
    assert_eq!(krate.circles(), [["a", "b"]]);
}
