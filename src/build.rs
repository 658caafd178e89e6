//! Rebuilds the crate when the pack that is compiled into it changes.

fn main() {
    println!("cargo:rerun-if-changed=rules/ecommerce");
}
