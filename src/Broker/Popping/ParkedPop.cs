namespace GrayMQ.Broker.Popping;

/// <summary>A pop that waits, a link in its target's list; answered on the thread pool when it is woken.</summary>
internal sealed class ParkedPop(Action<ParkedPop> answer) : IThreadPoolWorkItem
{
    public Pop Pop { get; set; }

    public ParkedPop? Next { get; set; }

    public void Execute() => answer(this);
}
