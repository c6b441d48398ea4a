internal import ApusCore
internal import ApusModel

/// The rules that one object must keep by itself.
enum Validation {
    static func findings(_ object: ConfigObject) -> [Finding] { [] }
}
