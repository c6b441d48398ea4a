/// What `--version` and `apus version` say.
enum ProgramVersion {
    static let text = "0.1.0"
}
