using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Compilation;

/// <summary>
/// Whether a message matches. Allocates nothing; the reader has to have the names that the predicate was made with, or those and
/// more behind them.
/// </summary>
public delegate bool MessagePredicate(ref PropertyReader reader);
