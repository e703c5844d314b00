//! Stand-ins for four agency systems that speak only files and HTTP.
