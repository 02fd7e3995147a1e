//! Sets `cfg(have_libpcap)` where libpcap can be linked, so that the workspace also builds where it cannot.
//!
//! `LATCHSTRING_LIBPCAP=on` makes a missing libpcap an error, `=off` builds without it though it is there;
//! `LIBPCAP_LIBDIR` names a folder that holds it.

use std::{
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The smallest program that needs libpcap. (It is compiled on its own: the workspace forbids `unsafe`, linking needs it.)
const PROBE: &str = r#"
    #[link(name = "pcap")]
    unsafe extern "C" { fn pcap_lib_version() -> *const u8; }
    fn main() { unsafe { assert!(!pcap_lib_version().is_null()) } }
"#;

fn main() {
    println!("cargo:rustc-check-cfg=cfg(have_libpcap)");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LATCHSTRING_LIBPCAP");
    println!("cargo:rerun-if-env-changed=LIBPCAP_LIBDIR");
    // The loader's cache changes when a library is installed. A path that is missing would run this script every time.
    if Path::new("/etc/ld.so.cache").exists() {
        println!("cargo:rerun-if-changed=/etc/ld.so.cache");
    }

    let want = env::var("LATCHSTRING_LIBPCAP").unwrap_or_default();
    if want == "off" {
        return;
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    if links(&out, None) || links_runtime_library(&out) {
        println!("cargo:rustc-cfg=have_libpcap");
    } else if want == "on" {
        panic!("LATCHSTRING_LIBPCAP=on, but libpcap cannot be linked: apt install libpcap-dev");
    } else {
        println!(
            "cargo:warning=libpcap not found: no live capture (apt install libpcap-dev, then rebuild)"
        );
    }
}

/// Whether a program that needs libpcap links, with `dir` searched too.
fn links(out: &Path, dir: Option<&Path>) -> bool {
    let source = out.join("probe.rs");
    fs::write(&source, PROBE).expect("OUT_DIR is writable");
    let mut rustc = Command::new(env::var_os("RUSTC").expect("cargo sets RUSTC"));
    rustc
        .args(["--edition=2024", "--target"])
        .arg(env::var_os("TARGET").expect("cargo sets TARGET"));
    rustc.arg("-o").arg(out.join("probe.bin")).arg(&source);
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        rustc.arg(format!("-Clinker={linker}"));
    }
    let configured = env::var_os("LIBPCAP_LIBDIR").map(PathBuf::from);
    for dir in [dir.map(Path::to_path_buf), configured]
        .into_iter()
        .flatten()
    {
        rustc.arg("-L").arg(format!("native={}", dir.display()));
    }
    let status = rustc.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Links against the runtime library, where there is one. All that the `-dev` package adds for us is a symbolic link.
fn links_runtime_library(out: &Path) -> bool {
    let arch = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets CARGO_CFG_TARGET_ARCH");
    let link = out.join("libpcap.so");
    for dir in [
        &format!("/usr/lib/{arch}-linux-gnu"),
        "/usr/lib64",
        "/usr/lib",
    ] {
        for name in ["libpcap.so.0.8", "libpcap.so.1"] {
            let library = Path::new(dir).join(name);
            let _ = fs::remove_file(&link);
            if library.exists() && symlink(&library, &link).is_ok() && links(out, Some(out)) {
                println!("cargo:rustc-link-search=native={}", out.display());
                return true;
            }
        }
    }
    let _ = fs::remove_file(&link);
    false
}
