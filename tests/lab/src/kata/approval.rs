//! External systems and the administrator's word about them (§1.3).
//!
//! A system is an id *with* a certificate: the same id with another certificate is another row,
//! which waits for approval while the accepted one stays valid \[inferred\].

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::frame::Caller;

use super::refusal::Refusal;
use super::state::State;
use super::switches::MissingCertificate;

/// The administrator's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// Not yet given.
    Pending,
    /// Calls work.
    Accepted,
    /// Calls do not work, and asking again changes nothing.
    Rejected,
}

/// A caller that has shown itself with an id and a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalSystem {
    /// The id as it was first written.
    pub id: String,
    /// SHA-256 of its certificate.
    pub certificate_sha256: String,
    /// The administrator's word.
    pub approval: Approval,
    /// When it first called.
    pub first_seen: Timestamp,
    /// Where it first called from; none when it was made at the node itself.
    pub remote_address: Option<IpAddr>,
}

impl ExternalSystem {
    /// Ids are compared without regard to case \[inferred\] (§1.1).
    pub(super) fn has_id(&self, id: &str) -> bool {
        self.id.eq_ignore_ascii_case(id)
    }
}

impl State {
    /// Lets an accepted caller in; any other request with a certificate is the request for
    /// integration itself.
    pub(super) fn admit(&mut self, id: &str, caller: &Caller) -> Result<(), Refusal> {
        let Some(certificate_sha256) = &caller.certificate_sha256 else {
            return Err(match self.switches.missing_certificate {
                MissingCertificate::HtmlPage => Refusal::CertificatePage,
                MissingCertificate::Unauthorized => self.unauthorized(),
            });
        };
        let position = self
            .external_systems
            .iter()
            .position(|known| known.has_id(id) && &known.certificate_sha256 == certificate_sha256);
        let position = position.unwrap_or_else(|| {
            self.external_systems.push(ExternalSystem {
                id: id.to_owned(),
                certificate_sha256: certificate_sha256.clone(),
                approval: Approval::Pending,
                first_seen: self.now,
                remote_address: Some(caller.address.ip()),
            });
            self.external_systems.len() - 1
        });
        let system = &mut self.external_systems[position];
        if self.switches.auto_accept && system.approval == Approval::Pending {
            system.approval = Approval::Accepted;
        }
        match system.approval {
            Approval::Accepted => Ok(()),
            Approval::Pending | Approval::Rejected => Err(self.unauthorized()),
        }
    }

    fn unauthorized(&self) -> Refusal {
        Refusal::Unauthorized {
            status: self.switches.auth_code,
        }
    }
}
