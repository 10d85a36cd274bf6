//! Rebuilds when a file is added to what travels inside the binary.

fn main() {
    println!("cargo:rerun-if-changed=widget");
}
