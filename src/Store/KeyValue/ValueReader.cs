namespace GrayMQ.Store.KeyValue;

/// <summary>Makes something of a stored value, whose bytes are gone afterwards.</summary>
public delegate TResult ValueReader<in TState, out TResult>(ReadOnlySpan<byte> value, TState state)
    where TState : allows ref struct;
