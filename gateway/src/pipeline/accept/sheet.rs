//! An input that was read, as it is written with others that came at the same time.

use tandem_adapter_port::format::Format;
use tandem_adapter_port::report::Outcome;

use super::admit::Takes;
use super::before::{Before, duplicate};
use super::reading::{ReadHere, ReadThrough};
use super::replay::Fate;
use super::{Accepted, Intake, outcome_of, text_of};
use crate::state::held::HeldDoc;
use crate::store::{Entry, InputState, StoreError, Tx};
use crate::traces::Open;

/// An input that is to be written whole.
pub(super) struct Sheet {
    intake: Intake,
    format: Format,
    read: ReadThrough,
    /// The original without what must not be kept.
    original: Vec<u8>,
    /// The step as which it is traced.
    step: Open,
}

/// It goes from hand to hand, and is no small thing.
impl Entry for Box<Sheet> {
    const IS_AWAITED: bool = true;
    type By = ();
    /// Nothing when its sender gave the name to something else: that undoes nothing of the others.
    type Noted = Option<Accepted>;

    async fn note(&self, _by: &(), tx: &mut Tx) -> Result<Option<Accepted>, StoreError> {
        self.step.around(Box::pin(self.write(tx))).await
    }
}

impl Sheet {
    pub(super) fn of(intake: Intake, format: Format, here: ReadHere) -> Box<Self> {
        Box::new(Self {
            intake,
            format,
            read: here.read,
            original: here.original,
            step: Open::here(),
        })
    }

    async fn write(&self, tx: &mut Tx) -> Result<Option<Accepted>, StoreError> {
        let (intake, mut report) = (&self.intake, self.read.report.clone());
        let coverage = &self.read.coverage;
        let is_rejected = report.outcome == Outcome::Rejected;
        let mut takes = Takes::All;
        if let Some(replay) = &intake.replay {
            let fate = replay.fate(intake, tx, coverage, is_rejected).await?;
            let obstacle = fate.obstacle();
            tx.add_to_replay(replay.id, intake.id.0, obstacle).await?;
            takes = match fate {
                Fate::Takes(takes) => takes,
                Fate::LeftAlone(_) => return Ok(Some(intake.as_it_was(report))),
            };
        } else if intake.was_held {
            tx.remove::<HeldDoc>(&intake.id.to_string()).await?;
        } else {
            // Two of one name may have come at once: the first to write wins.
            match intake.before(tx).await? {
                Before::Same(row) => return Ok(Some(duplicate(&row, self.format))),
                Before::Other => return Ok(None),
                Before::Nothing | Before::GivenUp(_) => {}
            }
        }
        let is_held = !is_rejected && intake.is_held(tx, &mut report, coverage).await?;
        let text = text_of(&report)?;
        let settled = outcome_of(&report, &text, is_held, InputState::Published);
        if intake.was_held || intake.replay.is_some() {
            tx.set_original(intake.id, &self.original).await?;
            tx.settle_input(intake.id, settled).await?;
        } else {
            intake.add_input(tx, &self.original, settled).await?;
        }
        if settled.state == InputState::Published {
            intake.publish(tx, coverage, takes).await?;
        }
        Ok(Some(Accepted {
            input: intake.id,
            report,
            is_duplicate: false,
        }))
    }
}
