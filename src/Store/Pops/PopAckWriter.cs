using System.Collections.Concurrent;
using GrayMQ.Store.KeyValue;

namespace GrayMQ.Store.Pops;

/// <summary>
/// Writes acks of single messages together: what such an ack has to say waits here for whoever is at the database next, so that
/// a thousand acks at a time are a handful of batches.
/// </summary>
internal sealed class PopAckWriter
{
    /// <summary>Acks that are written together at most.</summary>
    private const int MaxTogether = 256;

    [ThreadStatic]
    private static List<PopAck>? _ofThread;

    private readonly PopDatabase _database;
    private readonly PopLedger _ledger;
    private readonly ConcurrentQueue<PopAck> _waiting = new();

    public PopAckWriter(PopDatabase database, PopLedger ledger)
    {
        _database = database;
        _ledger = ledger;
        database.Left = WriteWaiting;
    }

    /// <summary>Sees to it that an ack is written of which the check point knows already. No gate need be held.</summary>
    public void Write(PopAck ack)
    {
        _waiting.Enqueue(ack);
        WriteWaiting();
    }

    // Whoever writes takes along what is waiting; who leaves looks once more, so that nothing is left behind.
    private void WriteWaiting()
    {
        while (!_waiting.IsEmpty && _database.TryBegin(out PopChange change))
        {
            List<PopAck> acks = _ofThread ??= [];
            KeyValueStoreException? failure = null;
            try
            {
                while (acks.Count < MaxTogether && _waiting.TryDequeue(out PopAck? ack))
                {
                    // What is left of the batch now, whoever has acked of it: later ones write again.
                    change.PutRest(ack.CheckPoint!, ack.CheckPoint!.Unacked);
                    acks.Add(ack);
                }

                if (acks.Count > 0)
                {
                    change.Write();
                }
            }
            catch (KeyValueStoreException e)
            {
                failure = e;
            }
            finally
            {
                _database.Exit();
            }

            Complete(acks, failure);
        }
    }

    private void Complete(List<PopAck> acks, KeyValueStoreException? failure)
    {
        // Completing may lead here again.
        _ofThread = null;
        foreach (PopAck ack in acks)
        {
            if (failure is not null)
            {
                TakeBack(ack.CheckPoint!, ack.Bit);
            }

            ack.CheckPoint = null;
            ack.Completed(failure);
        }

        acks.Clear();
        _ofThread = acks;
    }

    // Elsewhere, because the gate of another queue may be held here.
    private void TakeBack(PopCheckPoint checkPoint, uint bit) => ThreadPool.UnsafeQueueUserWorkItem(
        _ =>
        {
            lock (checkPoint.Queue.Gate)
            {
                _ledger.TakeBack(checkPoint, bit);
            }
        },
        null);
}
