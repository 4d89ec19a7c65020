namespace GrayMQ.Broker.Popping;

/// <summary>A pop that waits, a link in its target's list; answered on the thread pool when it is woken. Used again for others.</summary>
internal sealed class ParkedPop(Action<ParkedPop> answer) : IThreadPoolWorkItem
{
    private Pop _pop;

    public ref readonly Pop Pop => ref _pop;

    public ParkedPop? Next { get; set; }

    /// <summary>Grows with each pop that it is used for: who had it before it was used again can tell.</summary>
    public long Number { get; private set; }

    public void Set(in Pop pop)
    {
        _pop = pop;
        Number++;
    }

    public void Execute() => answer(this);
}
