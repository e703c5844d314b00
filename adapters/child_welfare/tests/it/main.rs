//! Tests of the child welfare adapter.

#[cfg(test)]
mod cws_cms;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod key;
#[cfg(test)]
mod niem;
#[cfg(test)]
mod niem_habits;
#[cfg(test)]
mod niem_profile;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tables;
#[cfg(test)]
mod write;
