//! Settings of one HMIS connection.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{OrganizationId, ServiceId};
use tandem_mappings::model::referral::ReasonCode;

/// Settings of one HMIS connection; every field has a default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HmisConfig {
    /// How exports of the partner are read.
    pub read: ReadConfig,
    /// How packages for the partner are written.
    pub write: WriteConfig,
}

/// How exports of the partner are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReadConfig {
    /// Whether a package merged from several runs (several rows in Export.csv) is read; else it is refused.
    pub accept_merged_exports: bool,
    /// ProjectIDs whose client-level rows are refused whatever a package says of them. A delta may leave out the
    /// unchanged HMISParticipation row that would close its project.
    pub closed_projects: Vec<String>,
    /// Whether referrals between projects of the same HMIS become events.
    pub internal_referrals: bool,
    /// Which places of `LocationCrisisOrPHHousing` are services outside the HMIS: text to target. Text is
    /// compared without regard to case.
    pub outside_services: BTreeMap<String, OutsideService>,
    /// The reason put for result 3 of list 4.20.D (provider rejected), for which HMIS has none.
    pub provider_rejected_reason: ReasonCode,
    /// The reason put for a referral whose row was deleted, for which HMIS has none.
    pub deleted_reason: ReasonCode,
}

/// A service outside the HMIS to which its users refer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutsideService {
    /// The organisation.
    pub organization: OrganizationId,
    /// The directory service, when known.
    #[serde(default)]
    pub service: Option<ServiceId>,
}

impl Default for ReadConfig {
    fn default() -> Self {
        Self {
            accept_merged_exports: false,
            closed_projects: Vec::new(),
            internal_referrals: true,
            outside_services: BTreeMap::new(),
            provider_rejected_reason: ReasonCode::NoCapacity,
            deleted_reason: ReasonCode::Duplicate,
        }
    }
}

/// How packages for the partner are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WriteConfig {
    /// `SourceName` of our Export.csv (at most 50 characters).
    pub source_name: String,
    /// `ImplementationID` of our Export.csv (at most 200 characters); never changes for one gateway.
    pub implementation_id: String,
    /// The partner's user under which our rows stand; the user of the enrollment when absent.
    pub user_id: Option<String>,
    /// Whether a delta carries all 24 files, those without rows as a header; else only those with rows.
    pub all_files: bool,
    /// The receiving ProjectID where the directory names none.
    pub default_project: Option<String>,
    /// Name of the custom file without `.csv`; begins with `Custom`.
    pub custom_file: String,
}

impl Default for WriteConfig {
    fn default() -> Self {
        Self {
            source_name: "Tandem gateway".to_owned(),
            implementation_id: "tandem-gateway".to_owned(),
            user_id: None,
            all_files: true,
            default_project: None,
            custom_file: "CustomCoordination".to_owned(),
        }
    }
}

/// A setting that the format can't carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A text is blank or longer than its column.
    #[error("{field} must have 1 to {most} characters")]
    Length {
        /// The setting.
        field: &'static str,
        /// Most characters.
        most: usize,
    },
    /// The custom file's name is none.
    #[error("custom_file must be Custom followed by letters and digits")]
    CustomFile,
    /// A table does not say what it must.
    #[error(transparent)]
    Table(#[from] tandem_mappings::tables::TableError),
}

impl WriteConfig {
    /// Checks that every setting fits its column.
    ///
    /// # Errors
    /// The first setting that does not.
    pub fn check(&self) -> Result<(), ConfigError> {
        let texts = [
            ("source_name", Some(&self.source_name), 50),
            ("implementation_id", Some(&self.implementation_id), 200),
            ("user_id", self.user_id.as_ref(), 32),
            ("default_project", self.default_project.as_ref(), 32),
        ];
        for (field, text, most) in texts {
            let fits = |text: &String| (1..=most).contains(&text.trim().chars().count());
            if !text.is_none_or(fits) {
                return Err(ConfigError::Length { field, most });
            }
        }
        let rest = self.custom_file.strip_prefix("Custom").unwrap_or_default();
        if rest.is_empty() || !rest.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(ConfigError::CustomFile);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_no_column_can_hold_are_refused() {
        assert_eq!(WriteConfig::default().check(), Ok(()));
        let long = WriteConfig {
            source_name: "x".repeat(51),
            ..WriteConfig::default()
        };
        assert!(matches!(
            long.check(),
            Err(ConfigError::Length {
                field: "source_name",
                ..
            })
        ));
        let name = WriteConfig {
            custom_file: "Custom../x".to_owned(),
            ..WriteConfig::default()
        };
        assert_eq!(name.check(), Err(ConfigError::CustomFile));
    }
}
