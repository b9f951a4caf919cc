use super::*;

#[test]
fn a_file_that_was_cut_does_not_keep_the_memory_it_had() {
    let mut tree = OverlayFs::new(Arc::new(BTreeMap::new()));
    let root = tree.mount(String::new(), None, true);
    let file = tree.add(root, &Arc::from("file"), InodeData::EMPTY_FILE, None).unwrap();
    let mut capacity_after = |length| {
        tree.set_length(file, length).unwrap();
        match &tree.node(file).unwrap().data {
            InodeData::File(content) => content.capacity(),
            _ => 0,
        }
    };
    assert!(capacity_after(1 << 20) >= 1 << 20);
    assert!(capacity_after(1000) <= 2001);
    assert_eq!(capacity_after(0), 0);
    assert_eq!(tree.mounts.last().unwrap().usage.bytes, 0);
}
