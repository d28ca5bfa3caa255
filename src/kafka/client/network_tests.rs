use super::*;
use crate::kafka::client::admin::{Admin, AdminCall, AdminOrder};
use crate::kafka::client::call::{Answer, CallId};
use crate::kafka::client::testing::*;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::admin::DescribeClusterResponse;
use crate::kafka::wire::Order;

fn admin(bootstrap: &[&str], settings: &[(&str, &str)]) -> Actor {
    let addresses: Vec<_> = bootstrap.iter().map(|host| ((*host).into(), 9092)).collect();
    Actor::Admin(Box::new(
        Admin::new("admin", &addresses, &given(settings), 3).expect("sound settings"),
    ))
}

fn ask(lab: &mut Lab, call: u32) {
    lab.order(Order::Admin(AdminOrder {
        call: CallId(call),
        what: AdminCall::DescribeCluster { include_fenced: false },
    }));
}

fn cluster(broker: &mut Scripted, body: &Body, _: usize) -> Say {
    match body {
        Body::DescribeClusterRequest(_) => Say::Answer(
            DescribeClusterResponse {
                error: ErrorCode::None,
                cluster_id: "c".into(),
                controller_id: 1,
                brokers: broker.nodes.iter().map(|node| (node.clone(), false)).collect(),
            }
            .into(),
        ),
        _ => Say::Usual,
    }
}

fn silent(_: &mut Scripted, body: &Body, _: usize) -> Say {
    match body {
        Body::DescribeClusterRequest(_) => Say::Nothing,
        _ => Say::Usual,
    }
}

/// C-01: the bootstrap connection serves for metadata, everything else goes to the advertised address.
#[test]
fn the_first_metadata_lead_to_a_new_connection() {
    let mut lab = Lab::new(&[cluster], Vec::new(), admin(&["b1"], &[]));
    let client = lab.client;
    lab.start(client);
    ask(&mut lab, 1);
    lab.run(1_000);
    assert!(matches!(lab.result(1), Some(Ok(_))), "{:?}", lab.result(1));
    assert_eq!(lab.broker(1).of_kind("ApiVersionsRequest").count(), 2);
    let Actor::Admin(admin) = lab.sim.process(lab.client) else {
        panic!("an admin")
    };
    let nodes: Vec<NodeId> = admin.network().links().map(|(node, _)| node).collect();
    assert_eq!(nodes, [-1, 1]);
}

/// C-02, C-04: refused connections are logged and tried again with growing pauses.
#[test]
fn a_refused_connection_is_tried_again() {
    let mut lab = Lab::new(
        &[cluster],
        Vec::new(),
        admin(
            &["b1"],
            &[("default.api.timeout.ms", "5000"), ("request.timeout.ms", "2000")],
        ),
    );
    lab.kill(1);
    let client = lab.client;
    lab.start(client);
    ask(&mut lab, 1);
    lab.run(3_000);
    let lines: Vec<String> = lab.log_lines().collect();
    assert_eq!(
        lines[..2],
        [
            "INFO Node -1 disconnected.",
            "WARN Connection to node -1 (b1:9092) could not be established. Node may not be available."
        ]
    );
    let tries = lines.iter().filter(|line| line.starts_with("INFO Node -1")).count();
    assert!((4..=9).contains(&tries), "{tries} in 3 s");
    let broker = lab.brokers[0];
    lab.start(broker);
    lab.run(1_500);
    assert!(matches!(lab.result(1), Some(Ok(_))), "{:?}", lab.result(1));
}

#[test]
fn nobody_there_ends_in_a_timeout() {
    let mut lab = Lab::new(
        &[cluster],
        Vec::new(),
        admin(
            &["b1"],
            &[("default.api.timeout.ms", "5000"), ("request.timeout.ms", "2000")],
        ),
    );
    lab.kill(1);
    let client = lab.client;
    lab.start(client);
    ask(&mut lab, 1);
    lab.run(6_000);
    let Some(Err(error)) = lab.result(1) else {
        panic!("{:?}", lab.result(1))
    };
    assert_eq!(&*error.class, "TimeoutException");
    assert_eq!(
        error.message.as_deref(),
        Some("Timed out waiting for a node assignment. Call: listNodes")
    );
}

/// C-02: an attempt that hangs is given up after 8 to 12 s.
#[test]
fn a_hanging_connection_is_given_up() {
    let mut lab = Lab::new(&[cluster], Vec::new(), admin(&["b1"], &[]));
    lab.cut(1, true);
    let client = lab.client;
    lab.start(client);
    ask(&mut lab, 1);
    lab.run(7_900);
    assert!(lab.log.is_empty(), "{:?}", lab.log);
    lab.run(4_200);
    assert!(
        lab.logged("INFO Disconnecting from node -1 due to socket connection setup timeout. The timeout value is ")
    );
    assert!(!lab.log_lines().any(|line| line.contains("could not be established")));
}

/// A request without an answer ends the connection; the call says how often it was tried.
#[test]
fn a_request_without_an_answer_times_out() {
    let settings = [("default.api.timeout.ms", "4000"), ("request.timeout.ms", "1500")];
    let mut lab = Lab::new(&[silent], Vec::new(), admin(&["b1"], &settings));
    let client = lab.client;
    lab.start(client);
    ask(&mut lab, 1);
    lab.run(5_000);
    assert!(lab.logged("INFO Disconnecting from node 1 due to request timeout."));
    assert!(lab.logged("INFO Cancelled in-flight DESCRIBE_CLUSTER request with correlation id "));
    let Some(Err(error)) = lab.result(1) else {
        panic!("{:?}", lab.result(1))
    };
    let text = error.message.as_deref().unwrap_or_default();
    assert!(text.starts_with("Call(callName=listNodes, deadlineMs="), "{text}");
    assert!(text.ends_with("after 3 attempt(s)"), "{text}");
    let cause = error.cause.as_ref().expect("it has a cause");
    assert_eq!(&*cause.class, "DisconnectException");
    assert!(
        cause
            .message
            .as_deref()
            .unwrap_or_default()
            .starts_with("Cancelled listNodes request with correlation id ")
    );
}

/// KIP-899: all known nodes are gone, the bootstrap address is another one and lives.
#[test]
fn a_client_without_usable_nodes_begins_anew() {
    fn lonely(broker: &mut Scripted, body: &Body, nth: usize) -> Say {
        if matches!(body, Body::MetadataRequest(_)) && nth == 1 {
            // Broker 1 knows only broker 2 at first, which is dead by then.
            broker.nodes = vec![node(2)];
        } else {
            broker.nodes = vec![node(1)];
        }
        cluster(broker, body, nth)
    }
    let mut lab = Lab::new(&[lonely, cluster], Vec::new(), admin(&["b1"], &[]));
    lab.kill(2);
    let client = lab.client;
    lab.start(client);
    ask(&mut lab, 1);
    lab.run(5_000);
    assert!(lab.logged("INFO Rebootstrapping with Cluster(id = null, nodes = [b1:9092 (id: -1 rack: null isFenced: false)], partitions = [], controller = null)"), "{:?}", lab.log);
    match lab.result(1) {
        Some(Ok(answer)) => assert!(matches!(&**answer, Answer::Cluster { .. })),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_unknown_name_is_logged() {
    let mut lab = Lab::new(&[cluster], Vec::new(), admin(&["nowhere"], &[]));
    let client = lab.client;
    lab.start(client);
    ask(&mut lab, 1);
    lab.run(500);
    assert_eq!(
        lab.log_lines().next().unwrap(),
        "WARN Error connecting to node nowhere:9092 (id: -1 rack: null isFenced: false) // java.net.UnknownHostException: nowhere: Name or service not known"
    );
}

#[test]
fn a_coordinators_connection_is_a_node_of_its_own() {
    assert_eq!(coordinator_id(1), 2_147_483_646);
}
