namespace GrayMQ.Client.Producers;

/// <summary>How surely a message was stored. In each case the broker has it.</summary>
public enum SendStatus
{
    /// <summary>As surely as the broker's settings demand.</summary>
    Ok,

    /// <summary>It was not on disk within the broker's time limit (with SYNC_FLUSH).</summary>
    FlushDiskTimeout,

    /// <summary>It was not at a replica within the broker's time limit (with SYNC_MASTER).</summary>
    FlushReplicaTimeout,

    /// <summary>There is no replica that could take it (with SYNC_MASTER).</summary>
    ReplicaNotAvailable,
}
