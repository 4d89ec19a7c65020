namespace GrayMQ.Broker.Pulling;

/// <summary>A pull that waits, a link in its queue's list; answered on the thread pool when it is woken.</summary>
internal sealed class ParkedPull(Action<ParkedPull> answer) : IThreadPoolWorkItem
{
    private Pull _pull;

    /// <summary>The pull; by reference, for those who look at many.</summary>
    public ref Pull Pull => ref _pull;

    /// <summary>When it is to be answered at the latest, as <see cref="TimeProvider.GetTimestamp"/> counts.</summary>
    public long Deadline { get; set; }

    public ParkedPull? Next { get; set; }

    public void Execute() => answer(this);
}
