//! The texts of notices that travel with data. Codes and what each must convey: specs of consent, section 11. The text
//! of 42 CFR 2.32(a)(2) is the regulation's own sentence.

use super::core::Core;

/// The notice's text.
#[must_use]
pub fn text(code: &str, _core: &Core) -> String {
    let text = match code {
        "N_P2_SHORT" => "42 CFR part 2 prohibits unauthorized use or disclosure of these records.",
        "N_HIPAA_AUTH" => {
            "Disclosed under the person's authorization. It may be redisclosed and is then no longer protected by the HIPAA privacy rule."
        }
        "N_CMIA_5613" => {
            "Medical information disclosed under authorization. No further disclosure without a new authorization or as the law requires or permits."
        }
        "N_CA_5328" => {
            "For coordination of this minor's care only. Not to be used as evidence against the minor."
        }
        "N_10850" => {
            "Confidential public assistance information. Use only for the stated program purpose. Unlawful disclosure is a misdemeanor."
        }
        "N_205_50" => {
            "Use only for purposes connected with the programs named. The recipient keeps comparable safeguards."
        }
        "N_SNAP" => "Food assistance information. Use only for the stated purpose.",
        "N_MCAL" => "Medi-Cal information. Use only for the stated purpose.",
        "N_827" => {
            "Child welfare information. Not to be passed on to anyone who has no access of their own."
        }
        "N_MDT" => "Received as a member of the team only. Not for other use by the agency.",
        "N_HMIS" => "Use only as the HMIS privacy notice allows.",
        "N_RHY" => {
            "No further disclosure without consent of the youth, and of the parent where required."
        }
        "N_DV" => "Only the stated item, recipient and period. Never a location.",
        "N_FERPA" => {
            "Education record. No further disclosure without consent or an exception of the recipient's own."
        }
        "N_TRIBE" => "Tribal data. Use only as the tribe's agreement says.",
        _ => "Confidential. Use only for the purpose for which it was sent.",
    };
    text.to_owned()
}
