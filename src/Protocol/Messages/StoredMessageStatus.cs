namespace GrayMQ.Protocol.Messages;

/// <summary>What stands at a position of the commit log.</summary>
public enum StoredMessageStatus
{
    /// <summary>A whole record.</summary>
    Message,

    /// <summary>The filler at the end of a file: go on in the next one.</summary>
    Blank,

    /// <summary>Zeros where the total size and magic code would be: nothing was written here yet.</summary>
    Empty,

    /// <summary>A record that claims more bytes than there are.</summary>
    Truncated,

    /// <summary>Neither: an unknown magic code, or lengths that do not add up.</summary>
    Malformed,
}
