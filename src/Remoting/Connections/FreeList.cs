namespace GrayMQ.Remoting.Connections;

/// <summary>An object that a <see cref="FreeList{T}"/> keeps.</summary>
internal abstract class FreeListNode<T>
    where T : FreeListNode<T>
{
    internal T? Next { get; set; }
}

/// <summary>
/// Objects to be used again. Any thread gives back; only one thread at a time takes, which is what keeps the lock-free list
/// free of the ABA problem.
/// </summary>
internal sealed class FreeList<T>
    where T : FreeListNode<T>
{
    private T? _first;

    public T? TryTake()
    {
        T? first = Volatile.Read(ref _first);
        while (first is not null)
        {
            T? seen = Interlocked.CompareExchange(ref _first, first.Next, first);
            if (ReferenceEquals(seen, first))
            {
                first.Next = null;
                return first;
            }

            first = seen;
        }

        return null;
    }

    public void Give(T item)
    {
        T? first = Volatile.Read(ref _first);
        while (true)
        {
            item.Next = first;
            T? seen = Interlocked.CompareExchange(ref _first, item, first);
            if (ReferenceEquals(seen, first))
            {
                return;
            }

            first = seen;
        }
    }
}
