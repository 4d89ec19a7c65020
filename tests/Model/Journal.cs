namespace GrayMQ.Model;

/// <summary>The last of what was done, for a report.</summary>
internal sealed class Journal(int length)
{
    private readonly Queue<string> _entries = new();

    public void Add(string entry)
    {
        _entries.Enqueue(entry);
        if (_entries.Count > length)
        {
            _entries.Dequeue();
        }
    }

    public override string ToString() => string.Join(", ", _entries);
}
