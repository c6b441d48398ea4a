internal import ApusCore
internal import ApusModel
internal import ApusYAML

enum MeshConfigValidation {
    static func check(_ config: MeshConfig, _ root: YAMLNode, _ decoding: Decoding) {}
}
