//! The Tandem gateway: store, pipeline, delivery, transports, API, console and command line.
