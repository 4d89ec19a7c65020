namespace GrayMQ.Load;

/// <summary>How the load acks what it popped.</summary>
internal enum PopAcks
{
    /// <summary>A request for each message, one after the other; then the next pop.</summary>
    Single,

    /// <summary>One request for the batch, and its answer before the next pop.</summary>
    Batch,

    /// <summary>One request for the batch, under way beside the next pop as with a stock client, which does not wait for it.</summary>
    BatchBeside,
}
