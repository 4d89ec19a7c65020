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

    /// <summary>Takes an ack of which the check point knows already; written by the next <see cref="WriteWaiting"/>.</summary>
    public void Add(PopAck ack) => _waiting.Enqueue(ack);

    /// <summary>
    /// Sees to it that what waits is written: whoever writes takes it along, and who leaves looks once more, so that nothing is left behind. No
    /// gate need be held.
    /// </summary>
    public void WriteWaiting()
    {
        while (!_waiting.IsEmpty && _database.TryBegin(out PopChange change))
        {
            List<PopAck> acks = _ofThread ??= [];
            KeyValueStoreException? failure = null;
            try
            {
                PopCheckPoint? last = null;
                while (acks.Count < MaxTogether && _waiting.TryDequeue(out PopAck? ack))
                {
                    // Once for acks of one batch that stand behind each other.
                    if (last is not null && last != ack.CheckPoint)
                    {
                        PutRest(change, last);
                    }

                    last = ack.CheckPoint;
                    acks.Add(ack);
                }

                if (last is not null)
                {
                    PutRest(change, last);
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

    // What is left of the batch now, whoever has acked of it: later ones write again.
    private static void PutRest(PopChange change, PopCheckPoint checkPoint) => change.PutRest(checkPoint, checkPoint.Unacked);

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
