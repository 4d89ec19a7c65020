using GrayMQ.Filtering.Numbers;

namespace GrayMQ.Filtering.Indexes;

/// <summary>What is found by the text of a property.</summary>
internal sealed record TextTable(int Slot, HashTrie Trie);

/// <summary>What is found by the number that a property is.</summary>
internal sealed record NumberTable(int Slot, NumberReading Reading, HashTrie Trie);

/// <summary>What is found by the intervals that a property's number lies in.</summary>
internal sealed record RangeTable(int Slot, NumberReading Reading, IntervalTree Tree);
