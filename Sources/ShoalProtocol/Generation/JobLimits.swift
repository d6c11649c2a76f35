// Bounds on one job, each with its reason.

extension Limits {
  /// The longest sequence a job may reserve, in tokens.
  public static let contextTokens = 1 << 20
  /// Tokens of one step: bounds activations, partial sums and the answer's deadline.
  public static let stepTokens = 512
  /// Sequences that one lane computes at a time: above that a core gains nothing by one more row.
  public static let laneSlots = 64
  /// Tokens of a lane's longest step: a row of each sequence, and prompts.
  public static let laneRows = 256
  /// A step that reads a prompt keeps the streams beside it waiting for no longer than about that.
  public static let laneStep = Duration.milliseconds(100)
  /// Candidates of one vocabulary atom: as many as the largest block has rows.
  public static let candidates = 256
  /// Tokens of a step that replays what is known already: as in the prompt's steps.
  public static let replayTokens = 256
  /// Terms in a row without a token: as many deaths at once as a household has devices.
  public static let fruitlessTerms = 12
  /// A job does without a peer that it lost for that long; then the peer has come back, or
  /// membership has noticed as well.
  public static let jobExclusion = Duration.seconds(10)
  /// A rank that gets ready says so at least that often, whatever it fetches or checks.
  public static let prepareBeat = Duration.milliseconds(100)
  /// A rank that says nothing for that long before it is ready is lost: six beats.
  public static let prepareSilence = Duration.milliseconds(600)
  /// A stream to a rank, handshake included: two round trips of a slow link.
  public static let rankDial = Duration.milliseconds(500)
  /// All ranks are ready and connect at the same time; whoever is missing by then is lost.
  public static let rankConnect = Duration.milliseconds(500)
  /// Jobs whose terms a rank remembers: those of a busy minute.
  public static let rememberedTerms = 1_024
  /// How long: no driver that was stopped comes back with a term of then and still has a client.
  public static let termMemory = Duration.seconds(600)
  /// A ready rank waits that long for the word that all are: others may fetch a large model.
  public static let connectSilence = Duration.seconds(1_800)
  /// A rank that is asked for nothing for that long has no driver: steps follow each other.
  public static let stepSilence = Duration.seconds(60)
  /// A lane without jobs keeps what it has computed for that long: somebody reads an answer and
  /// writes the next line. Routers forget connections that are silent for longer.
  public static let laneRest = Duration.seconds(120)
  /// A peer that leaves waits that long for the steps under way: longer ones are like a death.
  public static let drain = Duration.seconds(2)
  /// Peers that keep a copy of a job's log: two may die at once with the entry.
  public static let witnesses = 2
  /// Jobs that a peer keeps the logs of, and their bytes: a busy mesh of a household.
  public static let witnessedJobs = 256
  public static let witnessBytes = 64 << 20
  /// How long after the last word of its driver: a client has long come back or gone.
  public static let witnessMemory = Duration.seconds(60)
  /// A driver says so often that it lives, where it has nothing to tell.
  public static let witnessBeat = Duration.seconds(15)
  /// How tokens are chosen and shown: sixteen stop strings of 256 bytes many times over.
  public static let jobOptionsBytes = 64 << 10
}
