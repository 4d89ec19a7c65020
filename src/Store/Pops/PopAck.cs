using GrayMQ.Store.KeyValue;

namespace GrayMQ.Store.Pops;

/// <summary>The ack of one message, on its way into the database.</summary>
public abstract class PopAck
{
    internal PopCheckPoint? CheckPoint { get; set; }

    internal uint Bit { get; set; }

    /// <summary>Called once, by any thread: the ack is in the database, or could not be written and has not happened.</summary>
    /// <param name="failure">Null when it is there.</param>
    public abstract void Completed(KeyValueStoreException? failure);
}
