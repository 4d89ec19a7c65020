namespace GrayMQ.NameServer.Gray.Databases;

/// <summary>The database is away, slow, full or not what it should be; the message says which.</summary>
internal sealed class GrayDatabaseException : Exception
{
    public GrayDatabaseException(string message, Exception? inner = null, bool mayHaveChanged = false)
        : base(message, inner)
    {
        MayHaveChanged = mayHaveChanged;
    }

    /// <summary>Whether it failed while a change was being made final, so that only the database knows if it was.</summary>
    public bool MayHaveChanged { get; }
}
