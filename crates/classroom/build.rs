//! The labs are inside the program (`labs`). A file that is new in `labs/` makes it out of date too.

fn main() {
    println!("cargo:rerun-if-changed=../../labs");
}
