//! One order for several things: each is tried, and of each it is said what came of it.

use serde_json::{Value, json};

use super::super::exit::{Exit, Failure};
use super::super::output::tell;
use super::connection::{Call, Gateway};
use super::{AnswerArgs, show};

/// How refusals are titled that all other calls would meet as well: by the gateway (401, 403, 429), and by what stands before it and
/// says no more than its status.
const OF_ALL: [&str; 6] = [
    "a valid bearer token is needed",
    "the token does not allow this",
    "too many requests",
    "401 unauthorized",
    "403 forbidden",
    "429 too many requests",
];

/// Gives the order for each of several things: its id, and the call, which says what it is about. What is refused keeps no other
/// from being tried, and makes the end a no; when the gateway can't be asked any more, or refuses whoever asks, it is said how far it
/// came.
pub(super) async fn each(
    answering: &AnswerArgs,
    calls: impl IntoIterator<Item = (String, Call)>,
) -> Result<Exit, Failure> {
    let gateway = Gateway::connect(&answering.connection)?;
    let (mut results, mut ended) = (Vec::new(), Ok(Exit::Yes));
    for (id, call) in calls {
        match gateway.send(call).await {
            Ok(answer) => results.push(json!({ "id": id, "is_done": true, "answer": answer })),
            Err(Failure::Refused(why)) if is_of_all(&why) => {
                let told = format!("{why} (this one and those after it were not done)");
                ended = Err(Failure::Refused(told));
                break;
            }
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

/// Whether a refusal is of whoever asks, and not of the one thing. Its title stands first, or after what the call is about.
fn is_of_all(why: &str) -> bool {
    let mut parts = why.split(": ").take(2);
    parts.any(|part| OF_ALL.contains(&part))
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
        answered_by(Router::new().route("/v1/messages/{id}", axum::routing::any(answer))).await
    }

    async fn answered_by(app: Router) -> Answering {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
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

    #[tokio::test]
    async fn whoever_is_refused_is_told_once_and_tries_no_other() {
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        for (status, title) in [
            (StatusCode::UNAUTHORIZED, "a valid bearer token is needed"),
            (StatusCode::FORBIDDEN, "the token does not allow this"),
            (StatusCode::TOO_MANY_REQUESTS, "too many requests"),
        ] {
            let app = Router::new().fallback(move || async move {
                let problem = json!({ "title": title, "detail": "ask later" });
                (status, Json(problem))
            });
            let answering = answered_by(app).await;
            let mut tried = 0;
            let calls = ["1", "2"].into_iter().map(|id| {
                tried += 1;
                (id.to_owned(), Call::get(["messages", id]))
            });
            let failure = each(&answering.answer, calls).await.unwrap_err();
            assert_eq!((failure.exit(), tried), (Exit::No, 1), "{failure}");
            assert!(failure.to_string().contains(title), "{failure}");
        }
    }

    #[test]
    fn a_refusal_of_one_thing_keeps_no_other_from_being_tried() {
        assert!(is_of_all("message m-1: the token does not allow this"));
        assert!(is_of_all("429 too many requests"));
        let of_one = "message m-1: the request contradicts what stands: too many requests";
        assert!(!is_of_all(of_one));
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
