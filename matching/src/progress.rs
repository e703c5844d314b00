//! How far a run has come, for whoever waits for it.

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Reading a table.
    Reading,
    /// Sorting the records into blocks.
    Blocking,
    /// Estimating the probabilities.
    Estimating,
    /// Comparing the pairs of the blocks.
    Comparing,
    /// Choosing the threshold and forming clusters.
    Clustering,
    /// Writing the results.
    Writing,
    /// Looking again at the keys, for the report, the plan or the explanations.
    Surveying,
}

impl Phase {
    /// The phase as people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Reading => "reading records",
            Self::Blocking => "sorting records into blocks",
            Self::Estimating => "estimating probabilities",
            Self::Comparing => "comparing",
            Self::Clustering => "choosing the threshold and forming clusters",
            Self::Writing => "writing links and clusters",
            Self::Surveying => "counting keys",
        }
    }
}

/// A moment of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// Records done in this phase.
    pub records: u64,
    /// Records there are to do; unknown while tables are read.
    pub of_records: Option<u64>,
    /// Pairs compared so far.
    pub pairs: u64,
}

impl Progress {
    /// A phase that begins.
    pub(crate) fn begins(phase: Phase) -> Self {
        Self {
            phase,
            records: 0,
            of_records: None,
            pairs: 0,
        }
    }
}

/// Whoever hears how far a run has come, or nobody.
pub type Audience<'a> = Option<Box<dyn FnMut(Progress) + Send + 'a>>;

/// Tells the audience where the run is.
pub(crate) fn tell(audience: &mut Audience<'_>, progress: Progress) {
    if let Some(listener) = audience {
        listener(progress);
    }
}

/// Tells the audience that a phase begins.
pub(crate) fn begin(audience: &mut Audience<'_>, phase: Phase) {
    tell(audience, Progress::begins(phase));
}
