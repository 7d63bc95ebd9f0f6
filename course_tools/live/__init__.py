"""The networks that answer in a page of the book, without torch: `live/network.js`."""
