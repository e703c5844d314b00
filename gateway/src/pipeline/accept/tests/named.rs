//! A name that a sender gave stands for one content alone, whoever writes it; under the name of a file something else may
//! come another day.

use sha2::{Digest as _, Sha256};

use super::*;
use crate::store::tests::{Place, contract};

/// Pushes something under one name, which its sender gave or which only stands there.
async fn push_as(
    acceptor: &Acceptor,
    content: &str,
    is_named: bool,
) -> Result<Accepted, AcceptError> {
    let sent = Sent {
        content_hash: Sha256::digest(content).into(),
        is_named,
        kept_as: None,
    };
    let bytes = Arc::new(content.as_bytes().to_vec());
    let reader = scripted(1, false, Coverage::Partial);
    acceptor
        .accept_sent(reader, context("the-key"), bytes, sent)
        .await
}

async fn push(acceptor: &Acceptor, content: &str) -> Result<Accepted, AcceptError> {
    push_as(acceptor, content, true).await
}

fn is_refused(pushed: &Result<Accepted, AcceptError>) -> bool {
    matches!(pushed, Err(AcceptError::NameTaken))
}

async fn of_two_gateways_that_are_given_one_name_one_takes_it(place: Place) {
    let other = match place.address {
        Some(_) => place.again().await,
        None => place.store.clone(),
    };
    let gateways = [
        Acceptor::new(place.store.clone()),
        Acceptor::new(other.clone()),
    ];
    let [here, there] = &gateways;
    let writer = place.store.begin().await.unwrap();
    let (one, two, ()) = futures::join!(push(here, "one"), push(there, "two"), async {
        drop(writer);
    });
    assert!(is_refused(&one) != is_refused(&two), "{one:?} {two:?}");
    let (taken, refused) = if one.is_ok() {
        ("one", "two")
    } else {
        ("two", "one")
    };
    for gateway in &gateways {
        assert!(push(gateway, taken).await.unwrap().is_duplicate);
        assert!(is_refused(&push(gateway, refused).await));
    }
    if place.address.is_some() {
        other.close().await;
    }
}

contract!(of_two_gateways_that_are_given_one_name_one_takes_it);

#[tokio::test]
async fn who_hangs_up_while_his_input_is_written_has_taken_its_name() {
    let bench = Bench::new().await;
    let acceptor = bench.acceptor();
    let writer = bench.store.begin().await.unwrap();
    let mut first = Box::pin(push(&acceptor, "first"));
    assert!(futures::poll!(&mut first).is_pending());
    drop(first);
    let mut second = Box::pin(push(&acceptor, "second"));
    assert!(futures::poll!(&mut second).is_pending());
    drop(writer);
    assert!(is_refused(&second.await));
    assert!(push(&acceptor, "first").await.unwrap().is_duplicate);
}

#[tokio::test]
async fn a_name_that_is_taken_undoes_nothing_of_those_in_the_same_turn() {
    let bench = Bench::new().await;
    let acceptor = bench.acceptor();
    let writer = bench.store.begin().await.unwrap();
    let third = accept_small(acceptor.clone(), "third");
    let (first, second, third, ()) = futures::join!(
        push(&acceptor, "first"),
        push(&acceptor, "second"),
        third,
        async { drop(writer) }
    );
    assert!(!first.unwrap().is_duplicate && !third.is_duplicate);
    assert!(is_refused(&second));
    let mut tx = bench.store.snapshot().await.unwrap();
    assert_eq!(tx.inputs(10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_repeat_is_one_also_where_an_earlier_program_took_the_name_twice() {
    let bench = Bench::new().await;
    let acceptor = bench.acceptor();
    let both = ["one", "two"];
    for content in both {
        push_as(&acceptor, content, false).await.unwrap();
    }
    for content in both {
        assert!(push(&acceptor, content).await.unwrap().is_duplicate);
    }
    assert!(is_refused(&push(&acceptor, "three").await));
}

#[tokio::test]
async fn under_the_name_of_a_file_something_else_may_come() {
    let bench = Bench::new().await;
    let acceptor = bench.acceptor();
    for content in ["monday", "tuesday"] {
        let bytes = Arc::new(content.as_bytes().to_vec());
        let reader = scripted(1, false, Coverage::Partial);
        let accepted = acceptor.accept(reader, context("daily.csv"), bytes).await;
        assert!(!accepted.unwrap().is_duplicate, "{content}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_large_inputs_that_are_given_one_name_one_takes_it() {
    let bench = Bench::new().await;
    let acceptor = bench.acceptor();
    let [one, two] = ["one ", "two "].map(|word| word.repeat(1_000));
    let (first, second) = futures::join!(push(&acceptor, &one), push(&acceptor, &two));
    assert!(is_refused(&first) != is_refused(&second));
    let taken = if first.is_ok() { &one } else { &two };
    assert!(push(&acceptor, taken).await.unwrap().is_duplicate);
    bench.work_off().await;
    assert_eq!(bench.count(EventState::Waiting).await, 1);
    assert_eq!(bench.files.folder().files().unwrap().len(), 1);
}
