internal import ApusCore
internal import ApusModel
internal import ApusYAML

/// Finds an object's fields in the tree of its file.
struct FieldLocator: FieldLocating {
    let root: YAMLNode

    func position(of path: String) -> Position? { root.position(ofPath: path) }
}
