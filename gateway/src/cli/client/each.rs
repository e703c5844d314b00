//! One order for several things: each is tried, and of each it is said what came of it.

use serde_json::{Value, json};

use super::super::exit::{Exit, Failure};
use super::super::output::tell;
use super::connection::{Call, Gateway};
use super::{AnswerArgs, show};

/// Gives the order for each of several things: its id, and the call, which says what it is about. What is refused keeps no other
/// from being tried, and makes the end a no; when the gateway can't be asked any more, it is said how far it came.
pub(super) async fn each(
    answering: &AnswerArgs,
    calls: impl IntoIterator<Item = (String, Call)>,
) -> Result<Exit, Failure> {
    let gateway = Gateway::connect(&answering.connection)?;
    let (mut results, mut ended) = (Vec::new(), Ok(Exit::Yes));
    for (id, call) in calls {
        match gateway.send(call).await {
            Ok(answer) => results.push(json!({ "id": id, "is_done": true, "answer": answer })),
            Err(Failure::Refused(why)) => {
                tell(&format!("error: {why}"));
                results.push(json!({ "id": id, "is_done": false, "why": why }));
                ended = Ok(Exit::No);
            }
            Err(failure) => {
                ended = Err(failure);
                break;
            }
        }
    }
    if answering.json {
        show::print_answer(&json!({ "results": results }), true)?;
    } else if !results.is_empty() {
        let rows = results.iter().map(row).collect();
        show::print_answer(&Value::Array(rows), false)?;
    }
    ended
}

/// What came of one, in a line. Why it was refused is told beside the table.
fn row(result: &Value) -> Value {
    let is_done = result.get("is_done") == Some(&Value::Bool(true));
    let state = result.pointer("/answer/state").and_then(Value::as_str);
    json!({
        "id": result.get("id"),
        "outcome": if is_done { "done" } else { "refused" },
        "state": state.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use axum::extract::Path;
    use axum::http::StatusCode;
    use axum::{Json, Router};
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Answering {
        #[command(flatten)]
        answer: AnswerArgs,
    }

    /// A gateway that knows messages 1 and 3, and that is asked to skip them.
    async fn knowing_some() -> Answering {
        let answer = |Path(id): Path<String>| async move {
            let is_known = id == "1" || id == "3";
            let status = if is_known {
                StatusCode::OK
            } else {
                StatusCode::NOT_FOUND
            };
            (status, Json(json!({ "state": "skipped" })))
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let app = Router::new().route("/v1/messages/{id}", axum::routing::any(answer));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Answering::parse_from(["tandem", "--url", &url])
    }

    #[tokio::test]
    async fn one_that_is_refused_keeps_no_other_from_being_tried_and_makes_the_end_a_no() {
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let answering = knowing_some().await;
        let lists: [(&[&str], Exit); 2] = [(&["1", "2", "3"], Exit::No), (&["1", "3"], Exit::Yes)];
        for (ids, exit) in lists {
            let mut tried = Vec::new();
            let calls = ids.iter().map(|id| {
                tried.push(*id);
                ((*id).to_owned(), Call::get(["messages", *id]))
            });
            let ended = each(&answering.answer, calls).await.unwrap();
            assert_eq!((ended, tried.as_slice()), (exit, ids));
        }
    }

    #[test]
    fn a_line_says_whether_it_was_done_and_where_the_thing_stands() {
        let done = json!({ "id": "m-1", "is_done": true, "answer": { "state": "queued" } });
        let line = json!({ "id": "m-1", "outcome": "done", "state": "queued" });
        assert_eq!(row(&done), line);
        let refused = json!({ "id": "m-2", "is_done": false, "why": "it is delivered" });
        assert_eq!(row(&refused)["outcome"], "refused");
    }
}
