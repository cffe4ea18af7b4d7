//! azfake as a client meets it: every test starts its own fake and speaks to it through its proxy.

mod binary;
mod control;
#[cfg(test)]
mod entra;
mod faults;
#[cfg(test)]
mod federation;
mod proxy;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod support;
