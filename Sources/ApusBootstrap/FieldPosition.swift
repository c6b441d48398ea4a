internal import ApusCore
internal import ApusYAML

/// Where a field stands in the text.
enum FieldPosition {
    /// The place of the field, or of its nearest parent that is written.
    ///
    /// What a filter's settings refuse is named below the filter; in the text they stand under `typed_config`.
    static func find(_ path: String, below root: YAMLNode) -> Position {
        root.position(ofPath: path) ?? root.position
    }
}
