//! The files of the image: the program, the libraries that it links, trust roots, who the user is. All but the program
//! is as Debian's packages on this machine ship it, and recorded as such where scanners look. Makes no image.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::cargo;

/// The program in the image.
pub(super) const PROGRAM: &str = "/usr/local/bin/keyferry";
/// What ca-certificates ships. The machine's own bundle may trust more, such as a company's proxy.
const ROOTS: &str = "/usr/share/ca-certificates/mozilla";
/// Where the operator's HTTP clients look.
const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A Debian package that is in the image in part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) architecture: String,
}

/// The gathered files.
pub(super) struct Rootfs {
    directory: TempDir,
    pub(super) program_size: u64,
    pub(super) certificates: usize,
    /// File names, the loader among them.
    pub(super) libraries: Vec<String>,
    /// In the order of their names.
    pub(super) packages: Vec<Package>,
}

impl Rootfs {
    /// Gathers the files for a program; `user` is `UID:GID`.
    ///
    /// # Errors
    /// This is no Debian, a package is missing or changed, or a file cannot be copied.
    pub(super) fn assemble(program: &Path, user: &str) -> Result<Self> {
        let mut root = Self {
            directory: tempfile::tempdir().context("make a temporary directory")?,
            program_size: fs::metadata(program)
                .with_context(|| format!("look at {}", program.display()))?
                .len(),
            certificates: 0,
            libraries: Vec::new(),
            packages: Vec::new(),
        };
        root.put(PROGRAM, &read(program)?, 0o755)?;
        let license = read(&cargo::root().join("LICENSE"))?;
        root.put("/usr/share/doc/keyferry/copyright", &license, 0o644)?;
        let mut owners = BTreeSet::from(["ca-certificates".to_owned()]);
        for library in libraries(&ask("ldd", &[path_text(program)?])?) {
            owners.insert(owner(&library)?);
            root.put(&library, &read(Path::new(&library))?, 0o755)?;
            let name = Path::new(&library).file_name().unwrap_or_default();
            root.libraries.push(name.to_string_lossy().into_owned());
        }
        root.trust_roots()?;
        for name in owners {
            root.record(&name)?;
        }
        root.identity(user)?;
        Ok(root)
    }

    /// Where the files are; `/` in the image.
    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    fn put(&self, path: &str, content: &[u8], mode: u32) -> Result<()> {
        let relative = Path::new(path.trim_start_matches('/'));
        let target = self.path().join(relative);
        let folders: Vec<_> = relative.ancestors().skip(1).collect();
        for folder in folders.into_iter().rev() {
            let folder = self.path().join(folder);
            if !folder.is_dir() {
                fs::create_dir(&folder).with_context(|| format!("make {}", folder.display()))?;
            }
            // whatever this shell's umask is
            fs::set_permissions(&folder, Permissions::from_mode(0o755))?;
        }
        fs::write(&target, content).with_context(|| format!("write {}", target.display()))?;
        fs::set_permissions(&target, Permissions::from_mode(mode))?;
        Ok(())
    }

    /// One bundle of all roots of the package.
    fn trust_roots(&mut self) -> Result<()> {
        let folder = fs::read_dir(ROOTS).with_context(|| {
            format!("list {ROOTS}: install ca-certificates (apt-get install ca-certificates)")
        })?;
        let mut paths = folder
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<Vec<PathBuf>>>()?;
        paths.sort();
        self.certificates = paths.len();
        ensure!(self.certificates > 50, "few trust roots in {ROOTS}");
        let mut bundle = Vec::new();
        for path in paths {
            bundle.extend(read(&path)?);
            if bundle.last() != Some(&b'\n') {
                bundle.push(b'\n');
            }
        }
        self.put(BUNDLE, &bundle, 0o644)
    }

    /// Notes a package as distroless images do (`/var/lib/dpkg/status.d`), with its licence, once its files are
    /// known to be as it shipped them.
    fn record(&mut self, name: &str) -> Result<()> {
        let changed = ask("dpkg", &["--verify", name])?;
        let changed: Vec<&str> = changed
            .lines()
            .filter(|line| !line.starts_with("missing") && !line.contains("/usr/share/doc/"))
            .collect();
        ensure!(
            changed.is_empty(),
            "files of package {name} were changed on this machine: {}",
            changed.join("; ")
        );
        let fields = ask(
            "dpkg-query",
            &["--show", "--showformat=${Version} ${Architecture}", name],
        )?;
        let (version, architecture) = fields.split_once(' ').context("dpkg-query says little")?;
        let status = ask("dpkg-query", &["--status", name])?;
        self.put(
            &format!("/var/lib/dpkg/status.d/{name}"),
            status.as_bytes(),
            0o644,
        )?;
        let copyright = format!("/usr/share/doc/{name}/copyright");
        // slim images leave them out
        if let Ok(text) = fs::read(&copyright) {
            self.put(&copyright, &text, 0o644)?;
        }
        self.packages.push(Package {
            name: name.to_owned(),
            version: version.to_owned(),
            architecture: architecture.to_owned(),
        });
        Ok(())
    }

    /// Names for the numbers, how hosts are looked up, what the packages are of.
    fn identity(&self, user: &str) -> Result<()> {
        let (uid, gid) = user.split_once(':').context("a user is UID:GID")?;
        let passwd = format!(
            "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:{uid}:{gid}:nonroot:/:/sbin/nologin\n"
        );
        let group = format!("root:x:0:\nnonroot:x:{gid}:\n");
        self.put("/etc/passwd", passwd.as_bytes(), 0o644)?;
        self.put("/etc/group", group.as_bytes(), 0o644)?;
        self.put("/etc/nsswitch.conf", b"hosts: files dns\n", 0o644)?;
        self.put(
            "/etc/os-release",
            &read(Path::new("/etc/os-release"))?,
            0o644,
        )
    }
}

/// The files that ldd names; the kernel's vDSO is none.
fn libraries(ldd: &str) -> Vec<String> {
    let words = ldd.lines().map(str::split_whitespace);
    words
        .filter_map(|mut words| {
            words
                .find(|word| word.starts_with('/'))
                .map(ToOwned::to_owned)
        })
        .collect()
}

/// The package that a library is of. Where /lib is a link to /usr/lib, packages may know it by either name.
fn owner(library: &str) -> Result<String> {
    let found = ask("dpkg", &["--search", library])
        .or_else(|_| ask("dpkg", &["--search", &format!("/usr{library}")]))
        .with_context(|| format!("{library} is of no Debian package"))?;
    let name = found.split(':').next().unwrap_or_default();
    Ok(name.to_owned())
}

fn ask(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .output()
        .with_context(|| {
            format!("run {program}: the image is made of a Debian's or Ubuntu's packages")
        })?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // dpkg --verify ends with 1 where it found something, and says what
    ensure!(
        output.status.success() || arguments[0] == "--verify",
        "{program} {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(text)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("read {}", path.display()))
}

fn path_text(path: &Path) -> Result<&str> {
    path.to_str().context("the program's path is not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_and_the_loader_are_found_in_what_ldd_says() {
        let ldd = "\tlinux-vdso.so.1 (0x00007f)\n\tlibc.so.6 => /lib/x/libc.so.6 (0x00007f)\n\t/lib64/ld.so.2 (0x00007f)\n";
        assert_eq!(libraries(ldd), ["/lib/x/libc.so.6", "/lib64/ld.so.2"]);
        assert!(libraries("\tstatically linked\n").is_empty());
    }
}
