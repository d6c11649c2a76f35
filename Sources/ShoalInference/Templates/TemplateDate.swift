// The day that a template may write: `strftime_now`. It comes in as a value, since rendering reads
// no clock.

/// A moment of the Gregorian calendar, to the second.
public struct TemplateDate: Sendable, Hashable {
  private let year: Int
  private let month: Int
  private let day: Int
  /// 0 is Sunday.
  private let weekday: Int
  private let secondOfDay: Int

  /// - Parameter seconds: since 1970, with the offset of the place added.
  public init(unixSeconds seconds: Int64) {
    let days = Int((seconds / 86_400) - (seconds % 86_400 < 0 ? 1 : 0))
    secondOfDay = Int(seconds - Int64(days) * 86_400)
    weekday = ((days + 4) % 7 + 7) % 7
    // Days to a date by eras of 400 years that begin in March (Hinnant, "chrono-Compatible
    // Low-Level Date Algorithms").
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let place = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * place + 2) / 5 + 1
    month = place < 10 ? place + 3 : place - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]
  private static let weekdays = [
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
  ]

  /// By C's `strftime` in the C locale.
  func text(_ format: String) throws(TemplateFailure) -> String {
    var result = ""
    var scalars = Array(format.unicodeScalars)[...]
    while let scalar = scalars.popFirst() {
      guard scalar == "%" else {
        result.unicodeScalars.append(scalar)
        continue
      }
      let isPlain = scalars.first == "-"
      if isPlain { scalars.removeFirst() }
      result += try field(scalars.popFirst() ?? " ", width: isPlain ? 1 : 2)
    }
    return result
  }

  private func field(_ letter: Unicode.Scalar, width: Int) throws(TemplateFailure) -> String {
    let hour = secondOfDay / 3_600
    switch letter {
    case "Y": return "\(year)"
    case "y": return padded(year % 100, width)
    case "m": return padded(month, width)
    case "d": return padded(day, width)
    case "e": return day < 10 && width > 1 ? " \(day)" : "\(day)"
    case "B": return Self.months[month - 1]
    case "b", "h": return String(Self.months[month - 1].prefix(3))
    case "A": return Self.weekdays[weekday]
    case "a": return String(Self.weekdays[weekday].prefix(3))
    case "H": return padded(hour, width)
    case "I": return padded((hour + 11) % 12 + 1, width)
    case "p": return hour < 12 ? "AM" : "PM"
    case "M": return padded(secondOfDay / 60 % 60, width)
    case "S": return padded(secondOfDay % 60, width)
    case "F": return "\(year)-\(padded(month, 2))-\(padded(day, 2))"
    case "T":
      return "\(padded(hour, 2)):\(padded(secondOfDay / 60 % 60, 2)):\(padded(secondOfDay % 60, 2))"
    case "%": return "%"
    case _: throw .unsupported("%\(letter) in strftime_now")
    }
  }

  private func padded(_ number: Int, _ width: Int) -> String {
    let digits = "\(number)"
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
