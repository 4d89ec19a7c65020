namespace GrayMQ.Filtering.Properties;

/// <summary>Where one property's value stands in a message's properties. The default value: not looked for yet.</summary>
public struct PropertySlot
{
    // No value is empty, so that zero is free to say that nobody has looked.
    internal const int Unknown = 0;
    internal const int Missing = -1;

    internal int Start;
    internal int Length;
}
