//! A lab of one's own: the real `cordon-lab` as a process.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::{Automation, Program, built};

/// A running lab in a folder of its own; ends when dropped.
pub struct Lab {
    process: Child,
    folder: tempfile::TempDir,
    control: String,
}

impl Lab {
    /// Starts one that has accepted Cordon's certificate.
    #[must_use]
    pub fn up() -> Self {
        Self::up_with(&[])
    }

    /// Starts one with further arguments of `cordon-lab up`.
    #[must_use]
    pub fn up_with(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let playbooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../playbooks");
        let mut process = Program::new("cordon-lab")
            .arg("up")
            .arg(folder.path())
            .arg("--connectors")
            .arg(built("connectors/kata").parent().unwrap())
            .arg("--playbooks")
            .arg(playbooks)
            .args(arguments)
            .into_command()
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut ready)
            .unwrap();
        assert!(!ready.is_empty(), "the lab did not start");
        let mut lab = Self {
            process,
            folder,
            control: String::new(),
        };
        lab.control = lab.description()["products"]["kata"]["control_url"]
            .as_str()
            .unwrap()
            .to_owned();
        lab
    }

    /// The lab's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the lab says about itself in `lab.json`.
    #[must_use]
    pub fn description(&self) -> Value {
        let text = std::fs::read_to_string(self.folder.path().join("lab.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// A path that `lab.json` names for KATA: `ca`, `client_certificate`, `client_key`.
    #[must_use]
    pub fn path_of(&self, name: &str) -> PathBuf {
        PathBuf::from(
            self.description()["products"]["kata"][name]
                .as_str()
                .unwrap(),
        )
    }

    /// The automation directory that the lab made ready.
    #[must_use]
    pub fn automation(&self) -> Automation {
        Automation::at(self.folder.path().join("automation"))
    }

    /// `GET` of the control surface of KATA: `hosts`, `requests`, `clock`.
    #[must_use]
    pub fn get(&self, path: &str) -> Value {
        ureq::get(format!("{}/{path}", self.control))
            .call()
            .unwrap()
            .body_mut()
            .read_json()
            .unwrap()
    }

    /// `POST` to the control surface of KATA.
    pub fn post(&self, path: &str, body: &Value) -> Value {
        ureq::post(format!("{}/{path}", self.control))
            .send_json(body)
            .unwrap_or_else(|error| panic!("{path}: {error}"))
            .body_mut()
            .read_json()
            .unwrap()
    }

    /// `DELETE` on the control surface of KATA.
    pub fn delete(&self, path: &str) {
        ureq::delete(format!("{}/{path}", self.control))
            .call()
            .unwrap();
    }

    /// The host of this name in the control view.
    #[must_use]
    pub fn host(&self, name: &str) -> Value {
        let hosts = self.get("hosts");
        let host = hosts
            .as_array()
            .unwrap()
            .iter()
            .find(|host| host["name"] == name);
        host.unwrap_or_else(|| panic!("no host {name} in {hosts:#}"))
            .clone()
    }

    /// Whether the product isolates this host at the moment, as nobody but the lab can know.
    #[must_use]
    pub fn is_isolated(&self, name: &str) -> bool {
        self.host(name)["isolation"]["active"] == true
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let asked = Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}
