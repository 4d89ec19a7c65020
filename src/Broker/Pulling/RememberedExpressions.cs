using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using GrayMQ.Broker.Names;
using GrayMQ.Filtering;

namespace GrayMQ.Broker.Pulling;

/// <summary>
/// Expressions that came in requests, by type and text, so that they are not compiled anew for every request. Begins anew when there are too
/// many: clients that send their expression with every request have few of them; what comes in by the thousand is no such client's.
/// </summary>
internal sealed class RememberedExpressions
{
    /// <summary>A longer text is compiled each time, bytes.</summary>
    public const int MaxTextBytes = 16 * 1024;

    /// <summary>What all texts together may take, each with <see cref="FixedBytes"/>. What is compiled takes some times as much.</summary>
    public const int MaxBytes = 1024 * 1024;

    private const int FixedBytes = 256;

    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, SubscriptionExpression>> _byType =
        new(Utf8NameComparer.Instance);

    private int _bytes;

    /// <summary>What is remembered takes, by the same count as <see cref="MaxBytes"/>.</summary>
    public int Bytes => Volatile.Read(ref _bytes);

    /// <param name="type">UTF-8.</param>
    /// <param name="text">UTF-8.</param>
    public bool TryFind(ReadOnlySpan<byte> type, ReadOnlySpan<byte> text, [NotNullWhen(true)] out SubscriptionExpression? expression)
    {
        expression = null;
        return _byType.GetAlternateLookup<ReadOnlySpan<byte>>()
                .TryGetValue(type, out ConcurrentDictionary<string, SubscriptionExpression>? ofType)
            && ofType.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(text, out expression);
    }

    /// <param name="type">As it came.</param>
    /// <param name="textBytes">Length of the expression's text in UTF-8.</param>
    public void Add(string type, SubscriptionExpression expression, int textBytes)
    {
        if (textBytes > MaxTextBytes)
        {
            return;
        }

        int bytes = FixedBytes + textBytes;
        if (Interlocked.Add(ref _bytes, bytes) > MaxBytes)
        {
            _byType.Clear();
            Volatile.Write(ref _bytes, bytes);
        }

        _byType.GetOrAdd(type, static _ => new(Utf8NameComparer.Instance))[expression.Text] = expression;
    }
}
