use super::*;

#[test]
fn what_waits_is_counted_and_nothing_is_locked_or_changed() {
    let dir = tempfile::tempdir().unwrap();
    assert!(survey(&dir.path().join("none")).unwrap().is_empty());
    let path = filled(dir.path());
    // Also while another client has it.
    let held = open(dir.path()).unwrap();
    let before = fs::read(&path).unwrap();
    fs::write(dir.path().join("bob-0123456789abcdef.jsonl"), "nonsense\n").unwrap();
    fs::write(dir.path().join("notes.txt"), "mine").unwrap();
    let found = survey(dir.path()).unwrap();
    let said: Vec<_> = found
        .iter()
        .map(|one| (&one.user[..], one.messages.as_ref().ok()))
        .collect();
    assert_eq!(said, [("alice", Some(&TEXTS.len())), ("bob", None)]);
    let Owner { host, key, .. } = owner();
    assert_eq!(found[0].keys, Some((host.to_string(), key.to_string())));
    let why = found[1].messages.as_ref().unwrap_err().to_string();
    assert!(why.contains("line 1 of"), "{why}");
    assert_eq!(fs::read(&path).unwrap(), before);
    drop(held);
}
