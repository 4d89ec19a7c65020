using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using GrayMQ.Store.KeyValue;

namespace GrayMQ.Store.Pops;

/// <summary>
/// One change of <see cref="PopDatabase"/>: what is put here is there when <see cref="Write"/> returns, all of it, or nothing when it
/// throws. Nobody else changes the database until it is disposed.
/// </summary>
internal readonly ref struct PopChange(PopDatabase database)
{
    /// <summary>A batch in hand with these of its messages unacked.</summary>
    [SkipLocalsInit]
    public void Put(PopCheckPoint checkPoint, uint unacked, long dueMs, bool putOff)
    {
        Span<byte> key = stackalloc byte[PopCodec.MaxKeyBytes];
        Span<byte> value = stackalloc byte[PopCodec.MaxCheckPointBytes];
        database.Batch.Put(
            database.Pops,
            PopCodec.WriteKey(checkPoint.Queue, checkPoint.Id, key),
            PopCodec.Write(checkPoint, unacked, dueMs, putOff, value));
    }

    /// <summary>What is left of a batch: nothing of it when all is acked.</summary>
    [SkipLocalsInit]
    public void PutRest(PopCheckPoint checkPoint, uint rest)
    {
        if (rest != 0)
        {
            Put(checkPoint, rest, checkPoint.DueMs, checkPoint.IsPutOff);
            return;
        }

        Span<byte> key = stackalloc byte[PopCodec.MaxKeyBytes];
        database.Batch.Delete(database.Pops, PopCodec.WriteKey(checkPoint.Queue, checkPoint.Id, key));
    }

    /// <summary>Where the group goes on.</summary>
    public void PutOffset(PopQueue queue, long offset)
    {
        Span<byte> value = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(value, offset);
        database.Batch.Put(database.Offsets, queue.Key, value);
    }

    /// <summary>The batch that the queue is locked with; null when it is free.</summary>
    public void PutOrdered(PopQueue queue, OrderedBatch? ordered)
    {
        if (ordered is null)
        {
            database.Batch.Delete(database.Orders, queue.Key);
        }
        else
        {
            database.Batch.Put(database.Orders, queue.Key, PopCodec.Write(ordered));
        }
    }

    /// <summary>Everything of a topic that a group pops.</summary>
    [SkipLocalsInit]
    public void Delete(PoppedTopic topic)
    {
        Span<byte> end = stackalloc byte[PopCodec.MaxTopicKeyBytes];
        end = end[..KeyWriter.PrefixEnd(topic.Key, end)];
        database.Batch.DeleteRange(database.Pops, topic.Key, end);
        database.Batch.DeleteRange(database.Offsets, topic.Key, end);
        database.Batch.DeleteRange(database.Orders, topic.Key, end);
    }

    /// <summary>That no messages are being appended again.</summary>
    public void DeleteRevival() => database.DeleteRevival();

    /// <exception cref="KeyValueStoreException">It cannot be written.</exception>
    public void Write() => database.Write();

    public void Dispose()
    {
        database.Exit();
        database.Left?.Invoke();
    }
}
