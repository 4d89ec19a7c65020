namespace GrayMQ.Filtering.Properties;

/// <summary>
/// Reads the properties of one message by slot, without strings and without allocation. Each is looked for once, when it is
/// asked for; <see cref="ResolveAll"/> finds them all in one walk, for those who will ask for many.
/// </summary>
public ref struct PropertyReader
{
    private readonly ReadOnlySpan<byte> _properties;
    private readonly PropertyNames _names;
    private readonly Span<PropertySlot> _slots;

    /// <param name="properties">As stored; see <see cref="PropertyBytes"/>.</param>
    /// <param name="names">Which slot is which property.</param>
    /// <param name="slots">Room for <see cref="PropertyNames.Count"/> slots; cleared here.</param>
    public PropertyReader(ReadOnlySpan<byte> properties, PropertyNames names, Span<PropertySlot> slots)
    {
        _properties = properties;
        _names = names;
        _slots = slots[..names.Count];
        _slots.Clear();
    }

    public readonly TextValue Get(int slot)
    {
        ref PropertySlot found = ref _slots[slot];
        if (found.Length == PropertySlot.Unknown)
        {
            Resolve(ref found, _names.Utf8(slot));
        }

        return found.Length == PropertySlot.Missing
            ? TextValue.Missing
            : new TextValue(_properties.Slice(found.Start, found.Length));
    }

    /// <summary>Finds every property that has a slot.</summary>
    public readonly void ResolveAll()
    {
        _slots.Fill(new PropertySlot { Length = PropertySlot.Missing });
        int start = 0;
        while (start < _properties.Length)
        {
            ReadOnlySpan<byte> rest = _properties[start..];
            int separator = rest.IndexOfAny(PropertyBytes.NameValueSeparator, PropertyBytes.PropertySeparator);
            if (separator < 0)
            {
                return;
            }

            if (rest[separator] == PropertyBytes.PropertySeparator)
            {
                start += separator + 1;
                continue;
            }

            ReadOnlySpan<byte> tail = rest[(separator + 1)..];
            int length = tail.IndexOf(PropertyBytes.PropertySeparator);
            length = length < 0 ? tail.Length : length;
            int slot = length > 0 ? _names.Find(rest[..separator]) : -1;
            if (slot >= 0)
            {
                _slots[slot] = new PropertySlot { Start = start + separator + 1, Length = length };
            }

            start += separator + 1 + length + 1;
        }
    }

    private readonly void Resolve(ref PropertySlot slot, ReadOnlySpan<byte> name)
    {
        if (PropertyBytes.TryFind(_properties, name, out int start, out int length))
        {
            slot.Start = start;
            slot.Length = length;
        }
        else
        {
            slot.Length = PropertySlot.Missing;
        }
    }
}
