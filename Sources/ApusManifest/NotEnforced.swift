internal import ApusCore
internal import ApusModel

enum NotEnforced {
    static func findings(_ object: ConfigObject) -> [Finding] { [] }
}
